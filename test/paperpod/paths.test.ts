import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestApp } from '../support/test-app.ts'
import { SocketClient } from './socket-client.ts'
import { readFrames } from './sse-frames.ts'

let server: TestApp
before(async () => {
  server = await TestApp.start()
})
after(() => server.stop())

function upload(path: string, parts: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const field = `--B\r\ncontent-disposition: form-data; name="path"\r\n\r\n${path}\r\n`
  const headers = { 'content-type': 'multipart/form-data; boundary=B' }
  return server.post('/files/upload', `${field}--B\r\n${parts}\r\n--B--\r\n`, { headers })
}
const file = (name: string) =>
  `content-disposition: form-data; name="file"; filename="${name}"\r\ncontent-type: text/plain\r\n\r\nx`

test('every answer and event about a file names its path in one way', async () => {
  const asked = '/workspace/a/../b//./c'
  const path = '/workspace/b/c'
  const socket = await SocketClient.open(server)
  for (const given of [asked, 'a/../b//./c', './b/c']) {
    const put = `/files/upload?${String(new URLSearchParams({ path: given }))}`
    const answers = [
      await server.done('/files/write', { path: given, content: '1' }),
      await server.done('/files/read', { path: given }),
      (await server.call('PUT', put, 'x', { headers: { 'content-type': 'text/plain' } })).body,
      (await upload(given, file('own'))).body,
      (await socket.ask({ type: 'write', path: given, content: '1' })).data,
      (await socket.ask({ type: 'writeMany', files: [{ path: given, content: '1' }] })).data.files[0],
    ]
    assert.deepEqual(
      answers.map((answer: { path: string }) => answer.path),
      answers.map(() => path),
      given,
    )
  }
  const { path: made } = await server.done('/files/mkdir', { path: 'd/../e/f/' })
  assert.equal(made, '/workspace/e/f')
  const { path: listed, files } = await server.done('/files/list', { path: 'b/.//' })
  assert.deepEqual([listed, files.map((one: { path: string }) => one.path)], ['/workspace/b', [path]])
  const twice = await socket.ask({
    type: 'writeMany',
    files: [
      { path: 'b/c', content: '1' },
      { path: asked, content: '2' },
    ],
  })
  assert.match(twice.data.error, /"\/workspace\/b\/c": the path is listed twice/)
  await socket.close()

  const left = new AbortController()
  const watch = await fetch(`${server.url}/watch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ path: '/workspace/./e/../b/' }),
    signal: left.signal,
  })
  const frames = readFrames(watch)[Symbol.asyncIterator]()
  assert.equal((await frames.next()).value?.data.path, '/workspace/b')
  await server.done('/files/write', { path: 'b//new', content: '' })
  assert.equal((await frames.next()).value?.data.path, '/workspace/b/new')
  left.abort()
})

test('an upload to a path that ends with a slash goes into that directory under its own name', async () => {
  for (const name of ['report.pdf', '../../etc/report.pdf', 'C:\\\\tmp\\\\report.pdf'])
    assert.deepEqual((await upload('in//', file(name))).body['path'], '/workspace/in/report.pdf', name)
  assert.equal((await server.done('/files/read', { path: 'in/report.pdf' })).content, 'x')
  const after = `${file('later.txt')}\r\n--B\r\ncontent-disposition: form-data; name="path"\r\n\r\nin/`
  const form = { headers: { 'content-type': 'multipart/form-data; boundary=B' } }
  const late = await server.post('/files/upload', `--B\r\n${after}\r\n--B--\r\n`, form)
  assert.equal(late.body.path, '/workspace/in/later.txt')
})

test('a file without a name is refused for a directory', async () => {
  const query = String(new URLSearchParams({ path: 'in/' }))
  const refused = [
    await upload('in/', file('')),
    await upload('in/', file('..')),
    await server.post('/files/write', { path: 'in/', content: '' }),
    await server.call('PUT', `/files/upload?${query}`, 'x', { headers: { 'content-type': 'text/plain' } }),
  ]
  for (const { status, body } of refused) {
    assert.deepEqual([status, body['code'], body['field']], [400, 'INVALID_REQUEST', 'path'])
    assert.match(
      String(body['error']),
      /^Cannot use path "in\/": it names a directory, and .* without a name|is missing/,
    )
  }
})
