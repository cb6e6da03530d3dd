import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { after, before, describe, test, type TestContext } from 'node:test'
import { Carrel } from '../../sdk/index.ts'
import { CliHome } from '../../src/cli/testing/run-cli.ts'
import { residentBytes } from '../support/resident-bytes.ts'
import { newSession, TestServer, until } from '../support/server.ts'
import { readFrames, type Frame } from './sse-frames.ts'

describe('POST /watch', { timeout: 300_000 }, () => {
  let server: TestServer
  const sessionId = newSession()

  before(async () => {
    server = await TestServer.start()
    await server.shell('mkdir -p a', { sessionId })
  })
  after(() => server.stop())

  const shell = (code: string, session = sessionId) => server.shell(code, { sessionId: session })
  const open = (body: Record<string, unknown>, signal?: AbortSignal) =>
    fetch(`${server.url}/watch`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ sessionId, ...body }),
      signal,
    })

  /** Starts a watch; resolves when it is ready. */
  async function watch(t: TestContext, body: Record<string, unknown>) {
    const controller = new AbortController()
    t.after(() => controller.abort())
    const frames: Frame[] = []
    const response = await open(body, controller.signal)
    const ended = (async () => {
      for await (const frame of readFrames(response)) frames.push(frame)
    })().catch((error: unknown) => {
      if (!controller.signal.aborted) throw error
    })
    await until(
      () => frames.length,
      (count) => count > 0,
    )
    return { frames, ended, leave: () => controller.abort() }
  }

  const has = (frames: Frame[], event: string, path: string) =>
    until(
      () => frames.find((frame) => frame.event === event && frame.data.path === path),
      (found) => found !== undefined,
    )
  /** Returns how many programs the server runs for watches. */
  const openWatches = () =>
    readFileSync(`/proc/${server.process.pid}/task/${server.process.pid}/children`, 'latin1')
      .split(' ')
      .filter((pid) => pid !== '' && /^(cat|setpriv)\0/.test(commandOf(pid))).length

  test('reports what is created, modified, renamed and deleted, each with its type, path and time', async (t) => {
    await shell('mkdir -p /workspace/basic')
    const { frames } = await watch(t, { path: '/workspace/basic' })
    await shell('cd /workspace/basic; echo 1 > file; mkdir dir')
    // A directory is watched once it is reported.
    await has(frames, 'create', '/workspace/basic/dir')
    await shell('cd /workspace/basic; mv file dir/other; rm dir/other; rmdir dir')
    await has(frames, 'delete', '/workspace/basic/dir')
    for (const { event, data } of frames) {
      assert.equal(data.type, event)
      assert.ok(Math.abs(Date.now() - Date.parse(data.timestamp)) < 60_000)
    }
    const file = { path: '/workspace/basic/file', directory: false }
    const other = { path: '/workspace/basic/dir/other', directory: false }
    const directory = { path: '/workspace/basic/dir', directory: true }
    assert.deepEqual(
      frames.map(({ data: { timestamp: _, ...data } }) => data),
      [
        { type: 'watching', path: '/workspace/basic', recursive: true, sessionId },
        { type: 'create', ...file },
        { type: 'modify', ...file },
        { type: 'create', ...directory },
        { type: 'rename', ...other, oldPath: file.path, newPath: other.path },
        { type: 'delete', ...other },
        { type: 'delete', ...directory },
      ],
    )
  })

  for (const path of ['rel', 'rel/', './rel', '/workspace/rel/', '/workspace//./rel', 'workspace/rel'])
    test(`path ${JSON.stringify(path)} is /workspace/rel`, async (t) => {
      await shell('mkdir -p /workspace/rel')
      const { frames } = await watch(t, { path })
      assert.equal(frames[0]!.data.path, '/workspace/rel')
      await shell('touch /workspace/rel/x; rm /workspace/rel/x')
      await has(frames, 'delete', '/workspace/rel/x')
    })

  test('path "workspace" is /workspace, unless there is a directory of that name in it', async (t) => {
    const own = newSession()
    assert.equal((await watch(t, { path: 'workspace', sessionId: own })).frames[0]!.data.path, '/workspace')
    await shell('mkdir /workspace/workspace', own)
    assert.equal((await watch(t, { path: 'workspace', sessionId: own })).frames[0]!.data.path, '/workspace/workspace')
  })

  test('recursive false leaves out what is in directories below', async (t) => {
    await shell('mkdir -p /workspace/flat/below')
    const { frames } = await watch(t, { path: '/workspace/flat', recursive: false })
    await shell('cd /workspace/flat; touch below/hidden seen')
    await has(frames, 'create', '/workspace/flat/seen')
    assert.ok(!frames.some(({ data }) => data.path.includes('hidden')))
  })

  test('include shows only what matches, exclude everything else', async (t) => {
    await shell('mkdir -p /workspace/globs/src /workspace/globs/node_modules/x')
    const included = await watch(t, { path: '/workspace/globs', include: ['*.{ts,js}', 'src/*.md'] })
    const excluded = await watch(t, { path: '/workspace/globs', exclude: ['node_modules', '*.log', 'src/*.md'] })
    await shell('cd /workspace/globs; touch a.md src/a.md a.log src/b.ts node_modules/x/c.js; touch end.ts')
    await has(included.frames, 'create', '/workspace/globs/end.ts')
    await has(excluded.frames, 'create', '/workspace/globs/end.ts')
    const made = (frames: Frame[]) =>
      frames.flatMap(({ event, data }) => (event === 'create' ? [data.path.slice('/workspace/globs/'.length)] : []))
    assert.deepEqual(made(included.frames), ['src/a.md', 'src/b.ts', 'node_modules/x/c.js', 'end.ts'])
    assert.deepEqual(made(excluded.frames), ['a.md', 'src/b.ts', 'end.ts'])
  })

  test('include omits directories that do not match, and reports what matches in them', async (t) => {
    await shell(
      'mkdir -p /workspace/in/src/deep /workspace/out; cd /workspace/in; touch src/a.ts src/deep/b.ts src/c.md',
    )
    const { frames } = await watch(t, { path: '/workspace/in', include: ['*.ts', '*.bak', 'kept'] })
    const step = async (code: string, end: string) => {
      await shell(`cd /workspace/in; ${code}; touch ${end}.ts`)
      await has(frames, 'create', `/workspace/in/${end}.ts`)
    }
    await step('mkdir d; mv d e; rmdir e', '1')
    await step('mv src lib', '2')
    await step('mv lib/a.ts lib/a.md; mv lib/a.md lib/a.ts; mv lib/a.ts lib/a.bak', '3')
    await step('mv lib /workspace/out/', '4')
    await step('mv /workspace/out/lib back', '5')
    await step('rm -r back; mkdir kept; mv kept gone', '6')
    const name = (path: string) => path.slice('/workspace/in/'.length)
    const told = frames
      .slice(1)
      .filter(({ event }) => event !== 'modify')
      .map(({ event, data }) => (event === 'rename' ? `rename ${name(data.oldPath)} ` : `${event} `) + name(data.path))
    const steps = told.join('; ').split(/; create \d\.ts(?:; |$)|^create 1\.ts; /)
    assert.deepEqual(
      steps.map((one) => one.split('; ').toSorted()),
      [
        [''],
        ['rename src/a.ts lib/a.ts', 'rename src/deep/b.ts lib/deep/b.ts'],
        ['create lib/a.ts', 'delete lib/a.ts', 'rename lib/a.ts lib/a.bak'],
        ['delete lib/a.bak', 'delete lib/deep/b.ts'],
        ['create back/a.bak', 'create back/deep/b.ts'],
        ['create kept', 'delete back/a.bak', 'delete back/deep/b.ts', 'delete kept'],
        [''],
      ],
    )
  })

  test('one file can be watched, by its name', async (t) => {
    await shell('mkdir -p /workspace/one; cd /workspace/one; echo 1 > file')
    const { frames, ended } = await watch(t, { path: 'one/file' })
    assert.equal(frames[0]!.data.path, '/workspace/one/file')
    await shell(
      'cd /workspace/one; touch other; echo 2 >> file; echo 3 > new; mv new file; rm file other; touch file; mv file x',
    )
    await until(
      () => frames.filter(({ event }) => event === 'delete').length,
      (count) => count === 2,
    )
    const told = frames.slice(1).map(({ event, data }) => `${event} ${data.path}`)
    const squeezed = told.filter((each, index) => each !== told[index - 1])
    assert.deepEqual(
      squeezed.filter((each) => each !== 'modify /workspace/one/file'),
      ['delete', 'create', 'delete'].map((type) => `${type} /workspace/one/file`),
    )
    assert.equal(squeezed[0], 'modify /workspace/one/file')
    await shell('rm -r /workspace/one')
    await ended
    const { type, path, reason } = frames.at(-1)!.data
    assert.deepEqual([type, path, reason], ['stopped', '/workspace/one/file', 'deleted'])
  })

  test('a burst of 10,000 files arrives completely, or reports how many were dropped', async (t) => {
    await shell('mkdir -p /workspace/burst')
    const { frames } = await watch(t, { path: '/workspace/burst' })
    await server.post('/execute', {
      code: "for i in range(10_000): open(f'/workspace/burst/{i}', 'w').write('x')\nopen('/workspace/burst/end', 'w')",
      language: 'python',
      sessionId,
    })
    await has(frames, 'create', '/workspace/burst/end')
    const made = new Set(frames.flatMap(({ event, data }) => (event === 'create' ? [data.path] : [])))
    const dropped = frames.reduce((sum, { data }) => sum + (data.dropped ?? 0), 0)
    if (dropped === 0) assert.equal(made.size, 10_001)
    else
      assert.ok(
        frames.some(({ event, data }) => event === 'overflow' && data.message.includes(`${data.dropped} changes`)),
      )
    t.diagnostic(`${made.size} creates, ${dropped} dropped`)
  })

  test('a client that does not read costs bounded memory, and learns what it missed', async (t) => {
    await shell('mkdir -p /workspace/slow')
    const { hostname, port } = new URL(server.url)
    const socket = connect({ host: hostname, port: Number(port) })
    t.after(() => socket.destroy())
    const body = JSON.stringify({ path: '/workspace/slow', sessionId })
    socket.write(
      `POST /watch HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.token}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    )
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    await until(
      () => text,
      () => text.includes('watching'),
    )
    socket.pause()
    const residentKiB = () => residentBytes(server.process.pid!) / 1024
    const beforeKiB = residentKiB()
    // Long names fill the kernel's socket buffer quickly.
    const code = `
for round in range(12):
    for i in range(10_000):
        name = '/workspace/slow/%s-%d-%d' % ('x' * 180, round, i)
        open(name, 'w').close(); __import__('os').remove(name)`
    const written = await server.post('/execute', { code, language: 'python', sessionId, timeout: 120_000 })
    assert.equal(written.body.status, 'completed')
    const grownKiB = residentKiB() - beforeKiB
    assert.ok(grownKiB < 150_000, `the server grew by ${grownKiB} KiB`)
    socket.resume()
    // The count may include changes from before it is reported.
    await until(
      () => text.length,
      () => text.includes('event: overflow'),
      60_000,
    )
    await shell('touch /workspace/slow/end')
    await until(
      () => text.length,
      () => text.includes('/workspace/slow/end'),
      60_000,
    )
    const [, dropped] = /event: overflow\ndata: .*"dropped":(\d+)/.exec(text) ?? []
    assert.ok(Number(dropped) > 1000, `${dropped} were dropped`)
    t.diagnostic(`${dropped} of 240,000 changes dropped, the server grew by ${grownKiB} KiB`)
  })

  test('ends at once with its client, and leaves nothing', async (t) => {
    const descriptors = () => readdirSync(`/proc/${server.process.pid}/fd`).length
    await until(openWatches, (count) => count === 0)
    const before = descriptors()
    const watches = [await watch(t, { path: '/workspace' }), await watch(t, { path: '/workspace' })]
    assert.equal(openWatches(), 2)
    for (const { leave } of watches) leave()
    await until(openWatches, (count) => count === 0, 5000)
    await until(descriptors, (count) => count <= before, 5000)
  })

  test('ends with "stopped" when its directory is removed', async (t) => {
    await shell('mkdir -p /workspace/going')
    const { frames, ended } = await watch(t, { path: '/workspace/going' })
    await shell('rm -r /workspace/going')
    await ended
    const { timestamp: _, ...data } = frames.at(-1)!.data
    assert.deepEqual(data, {
      type: 'stopped',
      path: '/workspace/going',
      reason: 'deleted',
      message: 'The directory was deleted or moved away',
    })
  })

  test('does not keep a sandbox from stopping, and reports the stop', async (t) => {
    await server.stop()
    server = await TestServer.start({ env: { CARREL_IDLE_TIMEOUT_S: '1', CARREL_SWEEP_INTERVAL_MS: '100' } })
    const { frames, ended } = await watch(t, { path: '/workspace', sessionId: newSession() })
    await ended
    const { type, reason, message } = frames.at(-1)!.data
    assert.deepEqual([type, reason, message], ['stopped', 'sandbox', 'The sandbox has stopped'])
    await server.stop()
    server = await TestServer.start()
  })

  test('ends with "stopped" when the server stops, without delaying it', async (t) => {
    const { frames, ended } = await watch(t, { path: '/workspace' })
    await server.stop()
    await ended
    assert.equal(frames.at(-1)!.data.reason, 'server')
    server = await TestServer.start()
  })

  test('an account has 16 watches, and can start another when one ends', async (t) => {
    const token = await server.newAccount()
    const openAs = (signal: AbortSignal) =>
      fetch(`${server.url}/watch`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ path: '/workspace' }),
        signal,
      })
    const controllers = Array.from({ length: 17 }, () => new AbortController())
    t.after(() => controllers.forEach((controller) => controller.abort()))
    // An unreferenced response is cancelled when it is garbage-collected, and its watch ends.
    const opened: Response[] = []
    for (const { signal } of controllers.slice(1)) opened.push(await openAs(signal))
    const refused = await openAs(controllers[0]!.signal)
    assert.equal(refused.status, 429)
    const { code, action, error } = (await refused.json()) as Record<string, string>
    assert.deepEqual([code, action], ['LIMIT_REACHED', 'FREE_SOMETHING'])
    assert.match(error!, /16 open watches/)
    controllers[1]!.abort()
    await until(
      async () => (await openAs(controllers[0]!.signal)).status,
      (status) => status === 200,
    )
    assert.ok(opened.every(({ status }) => status === 200))
  })

  for (const [why, body, status, field] of [
    ['both kinds of globs', { path: '/workspace', include: ['a'], exclude: ['b'] }, 400, 'include'],
    ['no path', {}, 400, 'path'],
    ['an empty path', { path: '' }, 400, 'path'],
    ['a glob that is none', { path: '/workspace', exclude: ['[a'] }, 400, 'exclude'],
    ['globs that are no list', { path: '/workspace', include: '*.ts' }, 400, 'include'],
    ['65 globs', { path: '/workspace', include: Array.from({ length: 65 }, () => 'a') }, 400, 'include'],
    ['recursive that is no boolean', { path: '/workspace', recursive: 'yes' }, 400, 'recursive'],
  ] as const)
    test(`responds with ${status} and the field ${field} for ${why}`, async () => {
      const answer = await open(body)
      const error = (await answer.json()) as { error: string; field: string }
      assert.deepEqual([answer.status, error.field], [status, field], error.error)
    })

  test('says that both kinds of globs cannot be used together', async () => {
    const { error } = (await (await open({ path: '/workspace', include: [], exclude: [] })).json()) as { error: string }
    assert.match(error, /"include" and "exclude".*cannot be used together/)
  })

  for (const path of ['/nothing', 'nothing', '/etc/passwd/x', '/proc/1', 'workspace/nothing'])
    test(`responds with 404 for ${path}`, async () => assert.equal((await open({ path })).status, 404))

  test("another tenant's watch sees its own sandbox of that name", async (t) => {
    const controller = new AbortController()
    t.after(() => controller.abort())
    const token = await server.newAccount()
    const response = await fetch(`${server.url}/watch`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ path: '/workspace', sessionId }),
      signal: controller.signal,
    })
    const frames: Frame[] = []
    void (async () => {
      for await (const frame of readFrames(response)) frames.push(frame)
    })().catch(() => {})
    await shell('touch /workspace/secret')
    await server.post('/execute', { code: 'touch /workspace/own', language: 'shell', sessionId }, { token })
    await has(frames, 'create', '/workspace/own')
    assert.ok(!frames.some(({ data }) => data.path.includes('secret')))
  })

  test('the SDK iterates over changes until the loop ends', async () => {
    await shell('mkdir -p /workspace/sdk')
    const carrel = new Carrel({ baseUrl: server.url, token: server.token, sessionId })
    const seen: string[] = []
    for await (const event of carrel.files.watch('sdk', { exclude: ['*.log'] })) {
      seen.push(
        event.type === 'rename' ? `${event.type} ${event.oldPath} ${event.path}` : `${event.type} ${event.path}`,
      )
      if (event.type === 'watching') await shell('cd /workspace/sdk; : > a.log; : > a; mv a b')
      if (event.type === 'rename') break
    }
    assert.deepEqual(seen, [
      'watching /workspace/sdk',
      'create /workspace/sdk/a',
      'rename /workspace/sdk/a /workspace/sdk/b',
    ])
    await until(openWatches, (count) => count === 0)
    await assert.rejects(carrel.files.watch('/nothing').next() as Promise<unknown>, {
      name: 'CarrelApiError',
      status: 404,
    })
  })

  for (const json of [false, true])
    test(`the CLI shows changes${json ? ' as JSON' : ''} until it is interrupted`, async (t) => {
      await shell('mkdir -p /workspace/cli; rm -rf /workspace/cli/*')
      const home = new CliHome()
      t.after(() => home[Symbol.dispose]())
      const env = { CARREL_URL: server.url, CARREL_TOKEN: server.token }
      const args = ['watch', '/workspace/cli', '--exclude', '*.log', '--session', sessionId]
      const child = home.spawn(json ? [...args, '--json'] : args, { env, name: 'ppod' })
      t.after(() => child.kill('SIGKILL'))
      let [stdout, stderr] = ['', '']
      child.stdout.on('data', (chunk: Buffer) => {
        stdout += chunk.toString()
      })
      child.stderr.on('data', (chunk: Buffer) => {
        stderr += chunk.toString()
      })
      await until(
        () => stdout + stderr,
        (text) => /watching/i.test(text),
      )
      await shell('cd /workspace/cli; : > x.log; : > a; mv a b; mkdir d')
      await until(
        () => stdout,
        (text) => text.includes('cli/d'),
      )
      if (json) {
        const types = stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line).type)
        assert.deepEqual(types, ['watching', 'create', 'rename', 'create'])
      } else {
        assert.equal(
          stdout,
          'create  /workspace/cli/a\nrename  /workspace/cli/a -> /workspace/cli/b\ncreate  /workspace/cli/d/\n',
        )
        assert.equal(stderr, 'Watching /workspace/cli\n')
      }
      child.kill('SIGINT')
      await until(openWatches, (count) => count === 0)
    })
})

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  } catch {
    return ''
  }
}
