import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { skipsWithoutDiskLimits } from '../support/disk-limits.ts'
import { readOpenFiles } from '../support/open-files.ts'
import { residentBytes } from '../support/resident-bytes.ts'
import { newSession, TestServer, until } from '../support/server.ts'

const MiB = 1024 * 1024

describe('upload and download', () => {
  let server: TestServer
  const sessionId = newSession()

  before(async () => {
    server = await TestServer.start()
  })
  after(() => server.stop())

  /** Returns a form with its parts in the given order. */
  const upload = (parts: [string, string | Blob, string?][]) => {
    const form = new FormData()
    for (const [name, value, fileName] of parts) {
      if (typeof value === 'string') form.append(name, value)
      else form.append(name, value, fileName ?? 'blob')
    }
    return server.post('/files/upload', form)
  }
  const download = (path: string, headers: Record<string, string> = {}, session = sessionId) =>
    fetch(`${server.url}/files/download?${String(new URLSearchParams({ path, sessionId: session }))}`, {
      headers: { authorization: `Bearer ${server.token}`, ...headers },
    })
  const memoryBytes = () => residentBytes(server.process.pid!)

  for (const order of [
    ['sessionId', 'path', 'file'],
    ['path', 'sessionId', 'file'],
    ['path', 'file', 'sessionId'],
    ['file', 'path', 'sessionId'],
    ['file', 'sessionId', 'path'],
    ['sessionId', 'file', 'path'],
  ])
    test(`an upload accepts its fields in the order ${order.join(', ')}`, async () => {
      const path = `/workspace/${order.join('-')}.bin`
      const bytes = randomBytes(1000)
      const fields = { sessionId, path, file: new Blob([bytes]) } as Record<string, string | Blob>
      const { status, body } = await upload(order.map((name) => [name, fields[name]!, 'own name.bin']))
      assert.equal(status, 200, JSON.stringify(body))
      assert.deepEqual(body, { success: true, path, size: 1000, originalName: 'own name.bin', sessionId })
      assert.deepEqual(Buffer.from(await (await download(path)).arrayBuffer()), bytes)
      assert.equal((await server.shell('ls -A /tmp', { sessionId })).stdout, '')
    })

  test('an upload whose sessionId comes last leaves nothing in the default sandbox', async () => {
    const token = await server.newAccount()
    const form = new FormData()
    form.append('path', '/workspace/only-there')
    form.append('file', new Blob(['x']), 'x')
    form.append('sessionId', 'there')
    assert.equal((await server.post('/files/upload', form, { token })).status, 200)
    const { body } = await server.post('/execute', { code: 'ls -A /workspace /tmp', language: 'shell' }, { token })
    assert.equal(body.result.stdout, '/tmp:\n\n/workspace:\n')
  })

  test('an upload over a file keeps its mode, and over a link writes its target', async () => {
    await server.shell('echo old > tool; chmod 755 tool; ln -s tool link', { sessionId })
    for (const path of ['tool', 'link'])
      await upload([
        ['file', new Blob([`new ${path}`])],
        ['path', path],
        ['sessionId', sessionId],
      ])
    const { stdout } = await server.shell('cat tool; stat -c " %a" tool; readlink link', { sessionId })
    assert.equal(stdout, 'new link 755\ntool\n')
  })

  test('an upload has the mode of its field, wherever the field is, also over a file', async () => {
    const parts: [string, string | Blob][] = [
      ['path', 'with-mode'],
      ['mode', '488'],
      ['file', new Blob(['x'])],
    ]
    for (const order of [parts, parts.toReversed()]) {
      await server.shell('echo old > with-mode; chmod 777 with-mode', { sessionId })
      const { status, body } = await upload([...order, ['sessionId', sessionId]])
      assert.equal(status, 200, JSON.stringify(body))
      assert.equal((await server.shell('stat -c "%a %s" with-mode', { sessionId })).stdout, '750 1\n')
    }
    for (const mode of ['rwx', '-1', '4096', '0x1ff']) {
      const { status, body } = await upload([...parts, ['mode', mode], ['sessionId', sessionId]])
      assert.deepEqual([status, body.field], [400, 'mode'], body.error)
    }
  })

  for (const [missing, parts] of [
    ['file', [['path', '/tmp/x']]],
    ['path', [['file', new Blob(['x'])]]],
    ['file', []],
  ] as [string, [string, string | Blob][]][])
    test(`an upload of ${parts.map(([name]) => name).join() || 'nothing'} is refused with the missing field`, async () => {
      const { status, body } = await upload([...parts, ['sessionId', sessionId]])
      assert.deepEqual([status, body.field], [400, missing], body.error)
      assert.equal((await server.shell('ls -A /tmp', { sessionId })).stdout, '')
    })

  test('an upload to a folder says how to put the file into it, whatever the order of the fields', async () => {
    await server.done('/files/mkdir', { path: 'folder', sessionId })
    const parts: [string, string | Blob, string?][] = [
      ['sessionId', sessionId],
      ['path', 'folder'],
      ['file', new Blob(['x']), 'x.txt'],
    ]
    for (const order of [parts, parts.toReversed()]) {
      const { status, body } = await upload(order)
      assert.deepEqual([status, body.code], [400, 'INVALID_REQUEST'])
      assert.match(body.error, /it is a directory; to put the file into it, end the path with a slash$/)
    }
  })

  test('an upload of two files, without a form, or with an invalid sandbox name is refused', async () => {
    const blob = new Blob(['x'])
    const two = await upload([
      ['path', 'a'],
      ['file', blob],
      ['file', blob],
    ])
    assert.deepEqual([two.status, two.body.field], [400, 'file'])
    const json = await server.post('/files/upload', { file: 'x', path: 'y' })
    assert.deepEqual([json.status, json.body.code], [415, 'UNSUPPORTED_MEDIA_TYPE'])
    const odd = await upload([
      ['path', 'a'],
      ['file', blob],
      ['sessionId', 'a\u0007b'],
    ])
    assert.deepEqual([odd.status, odd.body.field], [400, 'sessionId'])
  })

  for (const [why, type, body] of [
    ['has no boundary', 'multipart/form-data', 'x'],
    [
      'is cut off',
      'multipart/form-data; boundary=B',
      '--B\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nab',
    ],
    ['is empty', 'multipart/form-data; boundary=B', ''],
  ] as const)
    test(`a form that ${why} is refused with 400`, async () => {
      const answer = await server.post('/files/upload', body, { headers: { 'content-type': type } })
      assert.deepEqual([answer.status, answer.body.code], [400, 'INVALID_REQUEST'], answer.body.error)
    })

  test('curl -T puts a file where the query says, with any content type, also over an existing one', async () => {
    for (const [content, type] of [
      ['first', 'text/plain'],
      ['{"a":', 'application/json'],
      ['', 'image/png'],
    ] as const) {
      const query = new URLSearchParams({ path: 'put/a b', sessionId })
      const headers = { authorization: `Bearer ${server.token}`, 'content-type': type }
      const response = await fetch(`${server.url}/files/upload?${query.toString()}`, {
        method: 'PUT',
        headers,
        body: content,
      })
      const wanted = { success: true, path: '/workspace/put/a b', size: content.length, originalName: 'a b', sessionId }
      assert.deepEqual([response.status, await response.json()], [200, wanted])
      const { body } = await server.post('/files/read', { path: 'put/a b', sessionId })
      assert.equal(body.content, content)
    }
  })

  test('0 bytes are uploaded and downloaded', async () => {
    const { body } = await upload([
      ['sessionId', sessionId],
      ['path', 'none'],
      ['file', new Blob([])],
    ])
    assert.equal(body.size, 0)
    const response = await download('none')
    assert.deepEqual([response.status, response.headers.get('content-length'), await response.text()], [200, '0', ''])
  })

  test('30 MB arrive byte for byte, and the memory of the server stays flat for 300 MB', async () => {
    const bytes = randomBytes(30 * MiB)
    const { body } = await upload([
      ['sessionId', sessionId],
      ['path', 'large'],
      ['file', new Blob([bytes])],
    ])
    assert.equal(body.size, bytes.length)
    assert.ok(Buffer.from(await (await download('large')).arrayBuffer()).equals(bytes))
    const before = memoryBytes()
    let most = before
    const watch = setInterval(() => (most = Math.max(most, memoryBytes())), 10)
    const hash = createHash('sha256')
    try {
      await sendForm(300, randomBytes(MiB))
      for await (const chunk of (await download('huge')).body!) hash.update(chunk as Uint8Array)
    } finally {
      clearInterval(watch)
    }
    const { stdout } = await server.shell('sha256sum huge; stat -c %s huge; rm huge', { sessionId, timeout: 60_000 })
    assert.equal(stdout, `${hash.digest('hex')}  huge\n${300 * MiB}\n`)
    assert.ok(most - before < 100 * MiB, `it grew by ${(most - before) / MiB} MiB`)
  })

  /** Uploads a form that is generated while it is sent, so that the test's own memory stays flat too. */
  function sendForm(count: number, chunk: Buffer): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const request = httpRequest(
      `${server.url}/files/upload`,
      {
        method: 'POST',
        headers: { authorization: `Bearer ${server.token}`, 'content-type': 'multipart/form-data; boundary=B' },
      },
      (response) => {
        response.resume()
        response.on('end', () =>
          response.statusCode === 200 ? resolve() : reject(new Error(`${response.statusCode}`)),
        )
      },
    )
    request.on('error', reject)
    const field = (name: string, value: string) =>
      request.write(`--B\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
    field('sessionId', sessionId)
    field('path', 'huge')
    request.write('--B\r\ncontent-disposition: form-data; name="file"; filename="huge"\r\n\r\n')
    let sent = 0
    const more = () => {
      while (sent < count) {
        sent++
        if (!request.write(chunk)) return void request.once('drain', more)
      }
      request.end('\r\n--B--\r\n')
    }
    more()
    return promise
  }

  test('an upload whose client disconnects keeps the old file, and leaves no partial file', async () => {
    await server.shell('mkdir half; echo old > half/file', { sessionId })
    const left = httpRequest(`${server.url}/files/upload`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.token}`, 'content-type': 'multipart/form-data; boundary=B' },
    })
    left.on('error', () => {})
    left.write(`--B\r\ncontent-disposition: form-data; name="sessionId"\r\n\r\n${sessionId}\r\n`)
    left.write('--B\r\ncontent-disposition: form-data; name="path"\r\n\r\nhalf/file\r\n')
    left.write('--B\r\ncontent-disposition: form-data; name="file"; filename="x"\r\n\r\n')
    left.write(randomBytes(MiB))
    const names = async () => (await server.shell('ls -A half; cat half/file', { sessionId })).stdout
    await until(
      () => readOpenFiles(server.process.pid!).some((target) => target.includes('/workspace/half/')),
      (writing) => writing,
    )
    assert.equal(await names(), 'file\nold\n')
    left.destroy()
    await until(names, (text) => text === 'file\nold\n')
  })

  test('an upload that fills the disk gets 507, keeps the old file, and leaves no partial file', async (t) => {
    if (skipsWithoutDiskLimits(t, server)) return
    const small = newSession()
    await server.shell('mkdir kept; echo old > kept/file; chmod 755 kept/file', { sessionId: small })
    const parts: [string, string | Blob][] = [
      ['sessionId', small],
      ['path', 'kept/file'],
      ['file', new Blob(Array.from({ length: 60 }, () => randomBytes(10 * MiB)))],
    ]
    const { status, body } = await upload(parts)
    assert.deepEqual([status, body.code, body.action], [507, 'DISK_FULL', 'FREE_SPACE'])
    const { stdout } = await server.shell('ls -A kept; cat kept/file; stat -c %a kept/file', { sessionId: small })
    assert.equal(stdout, 'file\nold\n755\n')
  })

  test('a file that looks like the end of the form throughout arrives intact', async () => {
    const nearly = Buffer.from('\r\n--B\r\n-\r\n--\r\r\n----formdata-undici-0')
    const bytes = Buffer.concat(
      Array.from({ length: 40_000 }, (_, index) => nearly.subarray(0, 1 + (index % nearly.length))),
    )
    await upload([
      ['sessionId', sessionId],
      ['path', 'nearly'],
      ['file', new Blob([bytes])],
    ])
    assert.ok(Buffer.from(await (await download('nearly')).arrayBuffer()).equals(bytes))
  })

  for (const [name, type] of [
    ['a.txt', 'text/plain; charset=utf-8'],
    ['a.html', 'text/html; charset=utf-8'],
    ['a.json', 'application/json'],
    ['a.svg', 'image/svg+xml'],
    ['a.ts', 'text/plain; charset=utf-8'],
    ['a.PY', 'text/plain; charset=utf-8'],
    ['Makefile', 'text/plain; charset=utf-8'],
    ['.bashrc', 'text/plain; charset=utf-8'],
    ['a.parquet', 'application/octet-stream'],
    ['a.png', 'image/png'],
    ['a.PDF', 'application/pdf'],
    ['a.mp4', 'video/mp4'],
    ['a.tar.gz', 'application/gzip'],
    ['a', 'application/octet-stream'],
    ['a.unknown-kind', 'application/octet-stream'],
  ] as const)
    test(`a download of ${name} has the type ${type}`, async () => {
      await server.post('/files/write', { path: `types/${name}`, content: 'x', sessionId })
      const response = await download(`types/${name}`)
      assert.equal(response.headers.get('content-type'), type)
      await response.body?.cancel()
    })

  test('a download has its length, a name for the browser, and is never sniffed', async () => {
    await server.post('/files/write', { path: "names/it's ü (1).html", content: '<b>', sessionId })
    const { headers, body } = await download("names/it's ü (1).html")
    assert.equal(headers.get('content-length'), '3')
    assert.equal(
      headers.get('content-disposition'),
      `attachment; filename="it's _ (1).html"; filename*=UTF-8''it%27s%20%C3%BC%20%281%29.html`,
    )
    assert.deepEqual([headers.get('x-content-type-options'), headers.get('accept-ranges')], ['nosniff', 'bytes'])
    await body?.cancel()
  })

  for (const [range, text, part] of [
    ['bytes=0-0', '0', 'bytes 0-0/10'],
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=-99', '0123456789', 'bytes 0-9/10'],
    ['bytes=8-99', '89', 'bytes 8-9/10'],
  ] as const)
    test(`Range ${range} of ten bytes is answered with 206 and ${part}`, async () => {
      await server.post('/files/write', { path: 'ten', content: '0123456789', sessionId })
      const response = await download('ten', { range })
      assert.deepEqual(
        [
          response.status,
          await response.text(),
          response.headers.get('content-range'),
          response.headers.get('content-length'),
        ],
        [206, text, part, String(text.length)],
      )
    })

  for (const range of ['bytes=0-1,3-4', 'lines=1-2', 'bytes=a-b', 'bytes=-', ''])
    test(`Range "${range}" is ignored`, async () => {
      await server.post('/files/write', { path: 'ten', content: '0123456789', sessionId })
      const response = await download('ten', { range })
      assert.deepEqual([response.status, await response.text()], [200, '0123456789'])
    })

  for (const range of ['bytes=10-', 'bytes=99-100', 'bytes=-0', 'bytes=99999999999999999999-'])
    test(`Range ${range} of ten bytes is refused with 416 and the size`, async () => {
      await server.post('/files/write', { path: 'ten', content: '0123456789', sessionId })
      const response = await download('ten', { range })
      assert.deepEqual([response.status, response.headers.get('content-range')], [416, 'bytes */10'])
      assert.equal(((await response.json()) as { code: string }).code, 'RANGE_NOT_SATISFIABLE')
    })

  test('HEAD returns the length without the bytes', async () => {
    await server.post('/files/write', { path: 'ten', content: '0123456789', sessionId })
    const { status, headers, body } = await server.call('HEAD', `/files/download?path=ten&sessionId=${sessionId}`)
    assert.deepEqual([status, headers.get('content-length'), body], [200, '10', ''])
  })

  for (const [why, path, status] of [
    ['a missing file', '/none', 404],
    ['a directory', '/etc', 400],
    ['a device', '/dev/zero', 404],
    ['a pipe', '/workspace/pipe', 400],
  ] as const)
    test(`a download of ${why} is refused with ${status}`, async () => {
      await server.shell('test -p pipe || mkfifo pipe', { sessionId })
      const response = await download(path)
      assert.equal(response.status, status)
      assert.equal(typeof ((await response.json()) as { error: unknown }).error, 'string')
    })

  test('a download without a path is refused with 400 and the field', async () => {
    const { status, body } = await server.call('GET', '/files/download')
    assert.deepEqual([status, body.field], [400, 'path'])
  })

  test('a client that disconnects during a download leaves no file open', async () => {
    await server.shell('head -c 50M /dev/zero > gone', { sessionId })
    const open = () => readOpenFiles(server.process.pid!).filter((target) => target.includes('/workspace/gone')).length
    const abort = new AbortController()
    const response = await fetch(
      `${server.url}/files/download?${String(new URLSearchParams({ path: 'gone', sessionId }))}`,
      {
        headers: { authorization: `Bearer ${server.token}` },
        signal: abort.signal,
      },
    )
    await response.body!.getReader().read()
    assert.equal(open(), 1)
    abort.abort()
    await until(open, (count) => count === 0)
  })
})
