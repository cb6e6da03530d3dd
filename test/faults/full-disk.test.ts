import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SmallDisk } from '../support/small-disk.ts'
import { newSession, TestServer, until } from '../support/server.ts'

const MiB = 1024 * 1024
const reserveBytes = 256 * MiB

let disk: SmallDisk
let server: TestServer
let env: Record<string, string>

before(async () => {
  disk = await SmallDisk.make(1500)
  // Each computer is promised more than there is.
  env = { CARREL_DATA: disk.directory, CARREL_IMAGE: 'tiny', CARREL_COMPUTER_DISK_MIB: '4096' }
  server = await TestServer.start({ env })
})
after(async () => {
  await server.stop()
  const down = fileURLToPath(new URL('../../scripts/down.js', import.meta.url))
  execFileSync(process.execPath, [down], { env: { ...process.env, ...env } })
  disk.remove()
})

/** What goes for the pool: `rw`, or `ro` after a write of its own failed. */
function poolState(): string {
  const lines = readFileSync('/proc/self/mountinfo', 'latin1').split('\n')
  const line = lines.find((mount) => mount.split(' ')[4] === join(disk.directory, 'pool'))
  return line!.split(' ').at(-1)!.split(',')[0]!
}

function gauge(metrics: string, name: string): number {
  return Number(
    metrics
      .split('\n')
      .find((line) => line.startsWith(`${name} `))!
      .split(' ')
      .at(-1),
  )
}

async function isAlive(processId: string, sessionId: string): Promise<boolean> {
  return (await server.done('/process/get', { sessionId, processId })).process.status === 'running'
}

test('a guest that writes until there is no room sees a full disk of its own, and others go on working', async () => {
  const [writer, other] = [newSession(), newSession()]
  await server.shell('true', { sessionId: other })
  const filled = await server.shell('cat /dev/zero > big; echo ended; ls -l big | wc -c', {
    sessionId: writer,
    timeout: 60_000,
  })
  assert.match(filled.stderr, /Disk quota exceeded|No space left/)
  assert.ok(disk.freeBytes > reserveBytes, `${disk.freeBytes} bytes are free`)
  assert.equal(poolState(), 'rw')
  assert.equal((await server.shell('echo works', { sessionId: other })).stdout, 'works\n')
  assert.equal((await server.shell('rm big && echo gone', { sessionId: writer })).stdout, 'gone\n')
  // What was deleted is given back to the disk, and the limits with it.
  await until(
    () => disk.freeBytes,
    (free) => free > 1000 * MiB,
    60_000,
  )
  await until(
    async () =>
      (await server.shell('head -c 200M /dev/zero > again && rm again && echo fits', { sessionId: writer })).stdout,
    (stdout) => stdout === 'fits\n',
    30_000,
  )
})

test('with no byte left server, monitor and programs live, new work is refused; and all is well when there is room again', async () => {
  const [sessionId, second] = [newSession(), newSession()]
  const { id } = await server.done('/process/start', {
    sessionId,
    command: 'while :; do echo still here; echo more >> log; sleep 0.1; done',
  })
  await server.shell('echo kept > file', { sessionId: second })
  for (let round = 0; round < 3; round++) {
    disk.fill()
    const refused = await until(
      () => server.post('/execute', { sessionId, code: 'true', language: 'shell' }),
      ({ status }) => status === 503,
    )
    assert.deepEqual([refused.body.code, refused.body.retryable], ['NO_CAPACITY', true])
    const write = await server.post('/files/write', { sessionId, path: '/home/user/x', content: 'x' })
    assert.deepEqual([write.status, write.body.code], [503, 'NO_CAPACITY'])
    assert.equal((await server.call('GET', '/health')).status, 200)
    const read = await server.done('/files/read', { sessionId: second, path: '/home/user/file' })
    assert.equal(read.content, 'kept\n')
    // For several commits of the pool.
    disk.fill()
    execFileSync('sync', ['-f', join(disk.directory, 'pool')], { stdio: 'ignore' })
    assert.equal(poolState(), 'rw')
    assert.ok(await isAlive(id, sessionId))
    const metrics = (await server.call('GET', '/metrics')).body
    assert.ok(gauge(metrics, 'carrel_disk_bytes{kind="free"}') < gauge(metrics, 'carrel_disk_bytes{kind="reserved"}'))
    disk.clearOut()
    await until(
      () => server.post('/execute', { sessionId, code: 'echo well', language: 'shell' }),
      ({ status }) => status === 200,
    )
  }
  assert.ok(await isAlive(id, sessionId))
  await server.done('/process/kill', { sessionId, processId: id })
})
