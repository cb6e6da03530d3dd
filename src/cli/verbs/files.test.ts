import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { FakeFailure } from '../../../sdk/testing/fake-failure.ts'
import { FakeServer } from '../../../sdk/testing/fake-server.ts'
import { CliHome, mainPath, resultOf } from '../testing/run-cli.ts'

const home = new CliHome()
after(() => home[Symbol.dispose]())

const everyByte = Buffer.alloc(
  300_001,
  Uint8Array.from({ length: 256 }, (_, index) => index),
)

test('write takes stdin, and read returns the same bytes', async () => {
  await using server = await FakeServer.start()
  const written = await home.run(['write', '/workspace/a.bin'], { server, input: everyByte })
  assert.deepEqual([written.exitCode, written.stdout], [0, 'Wrote 300001 bytes to /workspace/a.bin\n'])
  const { exitCode, bytes } = await home.run(['read', '/workspace/a.bin'], { server })
  assert.equal(exitCode, 0)
  assert.ok(bytes.equals(everyByte))
})

test('write takes a local file and sends its name', async () => {
  await using server = await FakeServer.start()
  writeFileSync(join(home.path, 'local.bin'), everyByte)
  const { stdout } = await home.run(['write', '/b.bin', 'local.bin', '--json', '--session', 's1'], { server })
  const { path, size, originalName, sessionId } = JSON.parse(stdout)
  assert.deepEqual(
    { path, size, originalName, sessionId },
    { path: '/b.bin', size: 300_001, originalName: 'local.bin', sessionId: 's1' },
  )
  assert.ok(readFileSync(join(server.root, 'b.bin')).equals(everyByte))
})

test('write creates an empty file from an empty stdin', async () => {
  await using server = await FakeServer.start()
  assert.equal((await home.run(['write', '/empty'], { server })).exitCode, 0)
  assert.equal(readFileSync(join(server.root, 'empty')).length, 0)
})

test('write of a local file that is missing or a folder sends nothing', async () => {
  await using server = await FakeServer.start()
  const missing = await home.run(['write', '/x', 'nope.txt'], { server })
  assert.deepEqual(
    [missing.exitCode, missing.stderr],
    [1, 'carrel: Cannot open "nope.txt": the file does not exist (ENOENT)\n'],
  )
  const folder = await home.run(['write', '/x', home.path], { server })
  assert.equal(folder.exitCode, 2)
  assert.match(folder.stderr, /it is a folder/)
  assert.equal(server.requests.length, 0)
})

test("write reports the server's error for a file that is too large", async () => {
  await using server = await FakeServer.start()
  server.failNext('/files/upload', new FakeFailure(413, 'TOO_LARGE', 'The file is larger than 10 bytes'))
  const { exitCode, stderr } = await home.run(['write', '/x'], { server, input: Buffer.alloc(5_000_000) })
  assert.equal(exitCode, 1)
  assert.match(stderr, /larger than 10 bytes \(TOO_LARGE\)/)
})

/** Prints the peak memory of the process in KiB when it ends. */
const memoryHook = 'process.on("exit", () => process.stderr.write(`maxrss=${process.resourceUsage().maxRSS}`))'
const tellMemory = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(memoryHook)}` }
const bigBytes = 400 * 1024 * 1024
const enoughKilobytes = 250_000

function assertLittleMemory(stderr: string) {
  const kilobytes = Number(/maxrss=(\d+)/.exec(stderr)?.[1])
  assert.ok(kilobytes > 0 && kilobytes < enoughKilobytes, `${kilobytes} KB`)
}

test('write needs little memory for 400 MB', async () => {
  await using server = await FakeServer.start()
  server.discardsUploads = true
  const child = home.spawn(['write', '/big'], { server, env: tellMemory })
  const result = resultOf(child)
  const hash = createHash('sha256')
  const megabyte = Buffer.alloc(1024 * 1024, 'carrel')
  for (let sent = 0; sent < bigBytes; sent += megabyte.length) {
    hash.update(megabyte)
    if (!child.stdin.write(megabyte)) await once(child.stdin, 'drain')
  }
  child.stdin.end()
  const { exitCode, stderr } = await result
  assert.equal(exitCode, 0, stderr)
  assert.deepEqual(server.uploads, [{ path: '/big', size: bigBytes, sha256: hash.digest('hex'), originalName: 'big' }])
  assertLittleMemory(stderr)
})

test('read needs little memory for 400 MB, even when its reader is slower than the server', async () => {
  await using server = await FakeServer.start()
  writeFileSync(join(server.root, 'big'), '')
  truncateSync(join(server.root, 'big'), bigBytes)
  const child = home.spawn(['read', '/big'], { server, env: tellMemory })
  child.stdin.end()
  const stderr = text(child.stderr)
  let bytes = 0
  for await (const chunk of child.stdout) {
    bytes += chunk.length
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(bytes, bigBytes)
  assertLittleMemory(await stderr)
})

test('read ends quietly, with the exit code of a broken pipe, when its reader has gone', async () => {
  await using server = await FakeServer.start()
  writeFileSync(join(server.root, 'big'), Buffer.alloc(20_000_000))
  const child = spawn(
    'bash',
    ['-c', '"$0" "$1" read /big | head -c 5; echo "code ${PIPESTATUS[0]}"', process.execPath, mainPath],
    {
      env: home.env({ server }),
    },
  )
  const { stdout, stderr } = await resultOf(child)
  assert.equal(stdout, '\0\0\0\0\0code 141\n')
  assert.equal(stderr, '')
})

test('read -o writes the file atomically and keeps the old one when it fails', async () => {
  await using server = await FakeServer.start()
  writeFileSync(join(server.root, 'a'), everyByte)
  const folder = join(home.path, 'out')
  mkdirSync(folder)
  writeFileSync(join(folder, 'a'), 'old')
  const failed = await home.run(['read', '/none', '-o', 'out/a'], { server })
  assert.equal(failed.exitCode, 1)
  assert.equal(readFileSync(join(folder, 'a'), 'utf8'), 'old')
  const done = await home.run(['read', '/a', '--output', 'out/a'], { server })
  assert.deepEqual([done.exitCode, done.stdout], [0, ''])
  assert.ok(readFileSync(join(folder, 'a')).equals(everyByte))
  assert.deepEqual(readdirSync(folder), ['a'])
})

test('an interrupted read -o leaves nothing behind, and the old file as it was', async () => {
  // Sends the beginning of a file, and holds the rest back.
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-length': 100, 'content-type': 'application/octet-stream' }).write('beginning')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const folder = join(home.path, 'stopped')
  mkdirSync(folder)
  writeFileSync(join(folder, 'a'), 'old')
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const watcher = watch(folder)
    const child = home.spawn(['read', '/a', '-o', 'stopped/a', '--url', url, '--token', 'any'])
    await once(watcher, 'change')
    watcher.close()
    assert.equal(readdirSync(folder).length, 2)
    child.kill(signal)
    const { exitCode, stderr } = await resultOf(child)
    assert.deepEqual([exitCode, readdirSync(folder)], [code, ['a']])
    assert.match(stderr, new RegExp(`stopped by ${signal}: "stopped/a" is as it was`))
  }
  server.close()
  server.closeAllConnections()
  assert.equal(readFileSync(join(folder, 'a'), 'utf8'), 'old')
})

test('read -o writes to a device without replacing it', async () => {
  await using server = await FakeServer.start()
  writeFileSync(join(server.root, 'a'), 'x')
  assert.equal((await home.run(['read', '/a', '-o', '/dev/null'], { server })).exitCode, 0)
  assert.equal(readFileSync('/dev/null').length, 0)
})

test('read --json returns text as text and other bytes as base64', async () => {
  await using server = await FakeServer.start()
  writeFileSync(join(server.root, 'text'), 'naïve\n')
  writeFileSync(join(server.root, 'bytes'), Buffer.of(255, 0))
  const { stdout } = await home.run(['read', '/text', '--json'], { server })
  assert.deepEqual(JSON.parse(stdout), { path: '/text', size: 7, encoding: 'utf8', content: 'naïve\n' })
  const bytes = await home.run(['read', '/bytes', '--json'], { server })
  assert.deepEqual(JSON.parse(bytes.stdout), { path: '/bytes', size: 2, encoding: 'base64', content: '/wA=' })
})

test('ls shows mode, size, time and name in columns', async () => {
  await using server = await FakeServer.start()
  const folder = join(server.root, 'workspace')
  mkdirSync(join(folder, 'sub'), { recursive: true })
  writeFileSync(join(folder, 'run.sh'), 'x'.repeat(12_345))
  chmodSync(join(folder, 'run.sh'), 0o750)
  chmodSync(join(folder, 'sub'), 0o755)
  for (const name of ['sub', 'run.sh']) utimesSync(join(folder, name), 0, Date.parse('2026-01-26T14:05:00Z') / 1000)
  const { stdout } = await home.run(['ls', '/workspace'], { server })
  assert.match(
    stdout,
    /^-rwxr-x--- {2}12345 {2}2026-01-26 14:05 {2}run\.sh\ndrwxr-xr-x +\d+ {2}2026-01-26 14:05 {2}sub\/\n$/,
  )
  assert.equal((await home.run(['ls'], { server })).stdout, stdout)
  assert.match((await home.run(['ls', '-la'], { server })).stderr, /Unknown option "-l": .*"exec ls -la" takes/)
  const { files } = JSON.parse((await home.run(['ls', '/workspace', '--json'], { server })).stdout)
  assert.deepEqual(
    files.map(({ name }: { name: string }) => name),
    ['run.sh', 'sub'],
  )
})

test('ls shows the target of a link', async () => {
  await using server = await FakeServer.start()
  mkdirSync(join(server.root, 'd'))
  symlinkSync('/etc/hosts', join(server.root, 'd', 'link'))
  assert.match((await home.run(['ls', '/d'], { server })).stdout, /^lrwxrwxrwx .* link -> \/etc\/hosts\n$/)
})

test('ls escapes a name that would control the terminal', async () => {
  await using server = await FakeServer.start()
  mkdirSync(join(server.root, 'd'))
  writeFileSync(join(server.root, 'd', 'a\u001b]0;x\u0007\nb'), '')
  const { stdout } = await home.run(['ls', '/d'], { server })
  assert.ok(stdout.endsWith('a\\x1b]0;x\\x07\\x0ab\n'), JSON.stringify(stdout))
})
