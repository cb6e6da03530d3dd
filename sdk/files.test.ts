import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Carrel } from './index.ts'
import { FakeFailure } from './testing/fake-failure.ts'
import { FakeServer } from './testing/fake-server.ts'

function filesOf(server: FakeServer) {
  return new Carrel({ baseUrl: server.url, token: server.token }).files
}

const everyByte = Uint8Array.from({ length: 1024 }, (_, index) => index % 256)

test('written text is read back', async () => {
  await using server = await FakeServer.start()
  const files = filesOf(server)
  const { path, size } = await files.write('/workspace/a.txt', 'naïve\n')
  assert.deepEqual({ path, size }, { path: '/workspace/a.txt', size: 7 })
  assert.equal(await files.read('/workspace/a.txt'), 'naïve\n')
})

test('bytes of every value survive write and read', async () => {
  await using server = await FakeServer.start()
  const files = filesOf(server)
  await files.write('/a.bin', everyByte)
  assert.deepEqual(await files.readBytes('/a.bin'), everyByte)
})

test('a mode is sent with text, bytes and streams', async () => {
  await using server = await FakeServer.start()
  const files = filesOf(server)
  await files.write('/a.sh', 'true', { mode: 0o750 })
  await files.write('/b.bin', everyByte, { mode: 0o600 })
  await files.write('/c.bin', new Blob([everyByte]).stream(), { mode: 0o700 })
  assert.equal((await stat(join(server.root, 'c.bin'))).mode & 0o777, 0o700)
  assert.equal((await stat(join(server.root, 'a.sh'))).mode & 0o777, 0o750)
  assert.equal((await stat(join(server.root, 'b.bin'))).mode & 0o777, 0o600)
  assert.deepEqual(new Uint8Array(await readFile(join(server.root, 'b.bin'))), everyByte)
})

test('a long text is uploaded and arrives whole', async () => {
  await using server = await FakeServer.start()
  const text = 'ü'.repeat(300_000)
  await filesOf(server).write('/long.txt', text)
  assert.equal(server.uploads[0]?.size, 600_000)
  assert.equal(await readFile(join(server.root, 'long.txt'), 'utf8'), text)
})

test('a stream is read only as fast as the server accepts it', async () => {
  await using server = await FakeServer.start()
  const chunk = new Uint8Array(256 * 1024).fill(7)
  const hash = createHash('sha256')
  async function* chunks() {
    for (let index = 0; index < 64; index++) {
      hash.update(chunk)
      yield chunk
    }
  }
  const { size } = await filesOf(server).write('/stream.bin', chunks())
  assert.equal(size, 64 * chunk.length)
  assert.equal(server.uploads[0]?.sha256, hash.digest('hex'))
})

test('a name with quotes and line breaks stays one name', async () => {
  await using server = await FakeServer.start()
  const path = '/odd "name"\r\nx: y.bin'
  await filesOf(server).write(path, everyByte)
  assert.equal(server.uploads[0]?.path, path)
  assert.equal(server.uploads[0]?.originalName, 'odd %22name%22%0D%0Ax: y.bin')
  assert.deepEqual(new Uint8Array(await readFile(join(server.root, path))), everyByte)
})

test('an error of the source rejects the write', async () => {
  await using server = await FakeServer.start()
  async function* broken() {
    yield everyByte
    throw new Error('the disk is gone')
  }
  await assert.rejects(filesOf(server).write('/x', broken()), { message: 'the disk is gone' })
})

test("a refused upload rejects with the server's error", async () => {
  await using server = await FakeServer.start()
  server.failNext('/files/upload', new FakeFailure(413, 'TOO_LARGE', 'Too large'))
  async function* endless() {
    while (true) yield new Uint8Array(64 * 1024)
  }
  await assert.rejects(filesOf(server).write('/x', endless()), { code: 'TOO_LARGE' })
})

test('a stream is not sent twice', async () => {
  await using server = await FakeServer.start()
  server.failNext('/files/upload', new FakeFailure(503, 'UNAVAILABLE', 'Busy'))
  await assert.rejects(filesOf(server).write('/x', new Blob(['x']).stream()), { code: 'UNAVAILABLE' })
  assert.equal(server.requestsTo('/files/upload').length, 1)
})

test('list() and mkdir() show a directory', async () => {
  await using server = await FakeServer.start()
  const files = filesOf(server)
  await files.mkdir('/workspace/sub')
  await files.write('/workspace/a.txt', 'abc')
  const entries = await files.list('/workspace')
  assert.deepEqual(
    entries.map(({ name, path, type, size }) => ({ name, path, type, size: type === 'file' ? size : 0 })),
    [
      { name: 'a.txt', path: '/workspace/a.txt', type: 'file', size: 3 },
      { name: 'sub', path: '/workspace/sub', type: 'directory', size: 0 },
    ],
  )
})

test('list() fetches as many pages as needed', async () => {
  await using server = await FakeServer.start()
  server.listEntries = 3
  const files = filesOf(server)
  for (let name = 0; name < 8; name++) await files.write(`/workspace/${name}`, '')
  const listed = async (limit?: number) => (await files.list('/workspace', { limit })).map(({ name }) => name).join('')
  assert.equal(await listed(), '01234567')
  assert.equal(server.requestsTo('/files/list').length, 3)
  assert.deepEqual(
    [await listed(2), await listed(3), await listed(7), await listed(8)],
    ['01', '012', '0123456', '01234567'],
  )
})

test('a stream that is read late delivers the whole file', async () => {
  await using server = await FakeServer.start()
  await writeFile(join(server.root, 'a'), everyByte)
  const stream = await filesOf(server).readStream('/a')
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  for (let round = 0; round < 10; round++) {
    collectGarbage()
    await setTimeout(20)
  }
  assert.deepEqual(new Uint8Array(await new Response(stream).arrayBuffer()), everyByte)
})

test('an interrupted download resumes where it stopped', async () => {
  await using server = await FakeServer.start()
  const bytes = randomBytes(2_000_000)
  await writeFile(join(server.root, 'a'), bytes)
  server.cutAfter(300_000, 1, 900_000)
  assert.ok(bytes.equals(await filesOf(server).readBytes('/a')))
  const ranges = server.requestsTo('/files/download').map(({ headers }) => headers['range'])
  assert.equal(ranges.length, 4)
  assert.equal(ranges[0], undefined)
  for (const range of ranges.slice(1)) assert.match(String(range), /^bytes=\d+-$/)
})

test('a download of a file that changes meanwhile fails instead of mixing two versions', async () => {
  await using server = await FakeServer.start()
  const path = join(server.root, 'a')
  await writeFile(path, randomBytes(2_000_000))
  server.cutAfter(300_000)
  const changing: typeof fetch = async (url, init) => {
    if (new Headers(init?.headers).has('range')) await writeFile(path, randomBytes(2_000_001))
    return fetch(url, init)
  }
  const { files } = new Carrel({ baseUrl: server.url, token: server.token, fetch: changing })
  await assert.rejects(files.readBytes('/a'), {
    name: 'CarrelConnectionError',
    message: /broke after \d+ of 2000000 bytes, and the file has changed since/,
  })
})

test('a missing file is NOT_FOUND, by text, bytes and stream', async () => {
  await using server = await FakeServer.start()
  const files = filesOf(server)
  await assert.rejects(files.read('/no'), { code: 'NOT_FOUND' })
  await assert.rejects(files.readBytes('/no'), { code: 'NOT_FOUND' })
  await assert.rejects(files.readStream('/no'), { code: 'NOT_FOUND' })
})
