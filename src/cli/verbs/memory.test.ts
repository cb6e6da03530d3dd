import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { FakeServer } from '../../../sdk/testing/fake-server.ts'
import { CliHome } from '../testing/run-cli.ts'

const home = new CliHome()
after(() => home[Symbol.dispose]())

test('mem:write takes stdin, and mem:read returns the same text', async () => {
  await using server = await FakeServer.start()
  const content = '\ufeffnaïve €\r\n\0'
  const written = await home.run(['mem:write', 'notes/a.txt'], { server, input: content })
  assert.deepEqual([written.exitCode, written.stdout], [0, 'Wrote 16 bytes to memory file notes/a.txt\n'])
  const { exitCode, bytes } = await home.run(['mem:read', 'notes/a.txt'], { server })
  assert.equal(exitCode, 0)
  assert.ok(bytes.equals(Buffer.from(content)))
})

test('mem:write takes a local file', async () => {
  await using server = await FakeServer.start()
  writeFileSync(join(home.path, 'local.txt'), 'local')
  const { stdout } = await home.run(['mem:write', 'a', 'local.txt', '--json'], { server })
  assert.equal(JSON.parse(stdout).size, 5)
  const { stdout: json } = await home.run(['mem:read', 'a', '--json'], { server })
  assert.deepEqual(JSON.parse(json), { path: 'a', size: 5, content: 'local' })
})

test('mem:write sends nothing that is not UTF-8', async () => {
  await using server = await FakeServer.start()
  const { exitCode, stderr } = await home.run(['mem:write', 'a'], { server, input: Buffer.of(0xff) })
  assert.equal(exitCode, 2)
  assert.match(stderr, /Cannot write memory file "a": the content is not UTF-8/)
  assert.equal(server.requests.length, 0)
})

test('mem:ls lists by prefix, mem:rm deletes, mem:usage counts', async () => {
  await using server = await FakeServer.start()
  for (const path of ['a/1', 'a/2', 'b\u001b[2J'])
    await home.run(['mem:write', path], { server, input: 'x'.repeat(2000) })
  const { stdout } = await home.run(['mem:ls', 'a/'], { server })
  assert.equal(stdout, '2000  2026-01-26 14:05  a/1\n2000  2026-01-26 14:05  a/2\n')
  assert.match((await home.run(['mem:ls'], { server })).stdout, /b\\x1b\[2J\n$/)
  assert.equal((await home.run(['mem:usage'], { server })).stdout, '5.9 KiB of 10.0 MiB in 3 files\n')
  assert.equal((await home.run(['mem:rm', 'a/1'], { server })).stdout, 'Deleted memory file a/1\n')
  const { exitCode, stderr } = await home.run(['mem:rm', 'a/1'], { server })
  assert.equal(exitCode, 1)
  assert.match(stderr, /NOT_FOUND/)
  const usage = JSON.parse((await home.run(['mem:usage', '--json'], { server })).stdout)
  assert.deepEqual(usage, { usedBytes: 4000, quotaBytes: 10_485_760, fileCount: 2 })
})
