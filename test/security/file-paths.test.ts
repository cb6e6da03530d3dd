import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { SocketClient } from '../paperpod/socket-client.ts'
import { newSession, testDataDirectory, TestServer, type Answer } from '../support/server.ts'

describe('paths that try to escape from a sandbox', { timeout: 300_000 }, () => {
  let server: TestServer
  let hostDirectory: string
  const sessionId = newSession()
  const secret = `secret-${randomBytes(16).toString('hex')}`

  before(async () => {
    hostDirectory = mkdtempSync('/tmp/carrel-paths-')
    writeFileSync(`${hostDirectory}/secret`, secret, { mode: 0o666 })
    server = await TestServer.start()
    await server.shell('echo guest > /tmp/here', { sessionId })
  })
  after(async () => {
    assert.deepEqual(readdirSync(hostDirectory), ['secret'], 'something was written on the host')
    assert.equal(readFileSync(`${hostDirectory}/secret`, 'utf8'), secret)
    await server.stop()
    rmSync(hostDirectory, { recursive: true })
  })

  const shell = async (code: string, more = {}) => (await server.shell(code, { sessionId, ...more })).stdout as string
  /** Everything that the file routes do with a path. */
  const everything = (path: string): Promise<Answer[]> =>
    Promise.all([
      server.post('/files/read', { path, sessionId }),
      server.call('GET', `/files/download?${String(new URLSearchParams({ path, sessionId }))}`),
      server.post('/files/list', { path, sessionId }),
      server.post('/files/list', { path: path.replace(/\/[^/]*$/, '') || '/', sessionId }),
      server.post('/files/write', { path: `${path}.new`, content: 'from the guest', sessionId }),
      server.post('/files/mkdir', { path: `${path}.folder`, sessionId }),
      upload(`${path}.uploaded`),
    ])
  const upload = (path: string) => {
    const form = new FormData()
    form.append('sessionId', sessionId)
    form.append('file', new Blob(['from the guest']), 'x')
    form.append('path', path)
    return server.post('/files/upload', form)
  }
  const staysInside = (answers: Answer[]) => {
    for (const { status, body } of answers) {
      assert.ok(status < 500, JSON.stringify(body))
      const text = JSON.stringify(body)
      assert.ok(!text.includes(secret) && !text.includes(server.token), text)
    }
    assert.deepEqual(readdirSync(hostDirectory), ['secret'])
  }

  for (const up of [
    '../',
    '/../',
    '../../../../../../../../../../',
    '/workspace/../../../../',
    './.././../',
    '//../..//../',
  ])
    test(`"${up}" leads to the root of the sandbox, no further`, async () => {
      staysInside(await everything(`${up.repeat(4)}${hostDirectory.slice(1)}/secret`))
      staysInside(await everything(`${up.repeat(4)}${testDataDirectory.slice(1)}/owner.token`))
      const { body } = await server.post('/files/read', { path: `${up}../../../tmp/here`, sessionId })
      assert.equal(body.content, 'guest\n')
    })

  test('links to anywhere stay within the sandbox', async () => {
    const folders = [
      hostDirectory,
      `../../../../../../..${hostDirectory}`,
      `/proc/1/root${hostDirectory}`,
      `/proc/self/root${hostDirectory}`,
      `/proc/self/cwd/../../..${hostDirectory}`,
      `/proc/thread-self/root${hostDirectory}`,
      `/proc/1/cwd`,
      '/proc/self/fd',
    ]
    for (const [index, to] of folders.entries()) {
      await shell(`ln -sfn '${to}' /workspace/link${index}; ln -sfn '${to}/secret' /workspace/file${index}`)
      staysInside(await everything(`/workspace/link${index}/secret`))
      staysInside(await everything(`/workspace/file${index}`))
      staysInside([await server.post('/files/write', { path: `/workspace/file${index}`, content: 'x', sessionId })])
    }
  })

  for (const path of [
    `/proc/self/root/tmp/here`,
    '/proc/1/root/etc/hostname',
    '/proc/self/environ',
    '/proc/self/cwd/package.json',
    '/proc/cmdline',
    '/proc/self/fd/0',
    '/sys/class/net/eth0/address',
    '/dev/vda',
    '/dev/zero',
    '/dev/.init',
  ])
    test(`${path} is not in the files of the sandbox`, async () => {
      const answers = await everything(path)
      staysInside(answers)
      assert.equal(answers[0]!.status, 404, JSON.stringify(answers[0]!.body))
      assert.equal(answers[1]!.status, 404)
    })

  test('a long or circular chain of links is refused quickly', async () => {
    await shell('ln -sfn b a; ln -sfn a b; for i in $(seq 60); do ln -sfn c$((i + 1)) c$i; done; echo end > c61')
    for (const path of ['/workspace/a', '/workspace/a/x', '/workspace/c1']) {
      const { status, body } = await server.post('/files/read', { path, sessionId })
      assert.deepEqual([status, body.code], [400, 'INVALID_REQUEST'], body.error)
      const write = await server.post('/files/write', { path, content: 'x', sessionId })
      assert.equal(write.status, 400, write.body.error)
    }
  })

  test('none of 300 requests through a folder that becomes a link meanwhile leaves the sandbox', async () => {
    const swap = [
      'import ctypes, os, time',
      'libc = ctypes.CDLL(None)',
      'os.makedirs("/workspace/race/deep", exist_ok=True)',
      'os.makedirs("/workspace/own/deep", exist_ok=True)',
      'open("/workspace/race/secret", "w").write("guest")',
      `os.symlink("/../../../../../..${hostDirectory}", "/workspace/trap")`,
      'count, end = 0, time.time() + 60',
      'while time.time() < end and not os.path.exists("/workspace/stop"):',
      '  libc.renameat2(-100, b"/workspace/race", -100, b"/workspace/trap", 2)',
      '  count += 1',
      'print(count)',
    ].join('\n')
    const swapping = server.post('/execute', { code: swap, language: 'python', sessionId, timeout: 70_000 })
    const statuses = new Map<number, number>()
    const faults: string[] = []
    for (let round = 0; round < 50; round++) {
      const path = '/workspace/race/secret'
      const answers = await Promise.all([
        server.post('/files/read', { path, sessionId }),
        server.call('GET', `/files/download?${String(new URLSearchParams({ path, sessionId }))}`),
        server.post('/files/list', { path: '/workspace/race', sessionId }),
        server.post('/files/write', { path: `/workspace/race/new${round}`, content: 'from the guest', sessionId }),
        server.post('/files/mkdir', { path: `/workspace/race/folder${round}/deeper`, sessionId }),
        upload(`/workspace/race/uploaded${round}`),
      ])
      for (const { status, body } of answers) {
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        if (status >= 500) faults.push(JSON.stringify(body))
        assert.ok(!JSON.stringify(body).includes(secret))
      }
      assert.deepEqual(readdirSync(hostDirectory), ['secret'])
    }
    await server.post('/files/write', { path: '/workspace/stop', content: '', sessionId })
    const { body } = await swapping
    assert.ok(Number(body.result.stdout) > 1000, `swapped ${body.result.stdout} times, ${body.result.stderr}`)
    assert.deepEqual([faults, [...server.log().matchAll(/"code":"(E\w+)"/g)].map(([, code]) => code)], [[], []])
    assert.ok((statuses.get(200) ?? 0) > 0 && (statuses.get(404) ?? 0) > 0, JSON.stringify([...statuses]))
  })

  test('a name in a directory that is replaced between two requests refers to the new directory', async () => {
    await shell(`mkdir -p then; echo 1 > then/x; rm -r then; ln -s ${hostDirectory} then`)
    staysInside(await everything('/workspace/then/secret'))
  })

  for (const [why, path] of [
    ['a NUL', '/workspace/a\0b'],
    ['a NUL behind a good name', '/tmp/here\0.png'],
    ['5,000 characters', `/${'a/'.repeat(2500)}`],
    ['5,000 bytes of few characters', `/${'€/'.repeat(1400)}`],
    ['half a surrogate pair', '/workspace/\ud800'],
    ['the other half', '/workspace/\udc00x'],
    ['10,000 characters', 'x'.repeat(10_000)],
  ] as const)
    test(`a path with ${why} is refused with 400 by every route`, async () => {
      for (const route of ['/files/read', '/files/list', '/files/mkdir', '/files/write']) {
        const { status, body } = await server.post(route, {
          path,
          sessionId,
          ...(route === '/files/write' ? { content: '' } : {}),
        })
        assert.deepEqual([status, body.code, body.field], [400, 'INVALID_REQUEST', 'path'], `${route}: ${body.error}`)
      }
      if (path.isWellFormed()) {
        const { status } = await server.call(
          'GET',
          `/files/download?${String(new URLSearchParams({ path, sessionId }))}`,
        )
        assert.ok(status === 400 || status === 413)
      }
    })

  test('half a surrogate pair is refused anywhere in a request', async () => {
    const half = '\ud800'
    for (const [route, field, body] of [
      ['/execute', 'code', { code: `echo "${half}"`, language: 'shell', sessionId }],
      ['/execute', 'env.A', { code: 'true', language: 'shell', sessionId, env: { A: half } }],
      ['/execute', 'env', { code: 'true', language: 'shell', sessionId, env: { [half]: 'x' } }],
      ['/execute', 'cwd', { code: 'true', language: 'shell', sessionId, cwd: `/${half}` }],
      ['/execute', 'sessionId', { code: 'true', language: 'shell', sessionId: half }],
      ['/execute/stream', 'code', { code: `echo ${half}`, language: 'shell', sessionId }],
      ['/interpret', 'code', { code: `"${half}"`, sessionId }],
      ['/files/write', 'path', { path: half, content: '', sessionId }],
      ['/files/write', 'content', { path: 'half', content: half, sessionId }],
      ['/process/start', 'command', { command: `echo ${half}`, sessionId }],
      ['/process/start', 'processId', { command: 'true', processId: half, sessionId }],
      ['/process/get', 'processId', { processId: half, sessionId }],
      ['/memory/write', 'path', { path: half, content: 'x' }],
      ['/memory/write', 'content', { path: 'half', content: half }],
      ['/memory/list', 'prefix', { prefix: half }],
    ] as const) {
      const { status, body: answer } = await server.post(route, body)
      assert.deepEqual([status, answer.field], [400, field], `${route} ${JSON.stringify(body)}: ${answer.error}`)
      assert.equal(answer.error, `Cannot use field "${field}": it is not valid Unicode`)
    }
    assert.equal((await server.post('/files/read', { path: 'half', sessionId })).status, 404)
  })

  test('half a surrogate pair in a message is refused', async () => {
    const client = await SocketClient.open(server)
    for (const [field, message] of [
      ['command', { type: 'exec', command: 'echo \ud800', sessionId }],
      ['argv.1', { type: 'exec', argv: ['echo', '\udfff'], sessionId }],
      ['content', { type: 'write', path: 'half', content: '\ud800', sessionId }],
      ['files.0.content', { type: 'writeMany', files: [{ path: 'half', content: '\ud800' }], sessionId }],
    ] as const) {
      const { type, data } = await client.ask(message)
      assert.deepEqual([type, data.code, data.field], ['error', 'INVALID_REQUEST', field])
    }
    await client.close()
  })

  test('a character that is written as two escapes is accepted', async () => {
    const body = `{"code":"printf '\\ud83d\\ude00'","language":"shell","sessionId":"${sessionId}"}`
    assert.equal((await server.post('/execute', body)).body.result.stdout, '😀')
  })

  test('names that are special elsewhere are ordinary names in a path', async () => {
    for (const name of [
      '~',
      '$HOME',
      '`id`',
      '$(id)',
      '; ls',
      '| cat',
      '*',
      '%00',
      '%2e%2e%2f',
      '\\..\\',
      'C:',
      'con',
      '..%c0%af',
      '.. ',
      '...',
    ]) {
      const path = `/workspace/${name}/x`
      assert.equal((await server.post('/files/write', { path, content: name, sessionId })).status, 200, name)
      const { body } = await server.post('/files/read', { path, sessionId })
      assert.equal(body.content, name)
    }
  })

  test("a mode cannot give a file another user's rights", async () => {
    await server.post('/files/write', {
      path: '/workspace/set',
      content: '#!/bin/sh\nid -u\n',
      mode: 0o6755,
      sessionId,
    })
    assert.equal(await shell('stat -c "%U %a" set; ./set'), 'node 6755\n1000\n')
    const { status } = await server.post('/files/write', { path: '/etc/sudoers.d/x', content: '', sessionId })
    assert.ok(status === 200 || status === 403)
  })
})
