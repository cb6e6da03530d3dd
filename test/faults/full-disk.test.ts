import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { SmallDisk } from '../support/small-disk.ts'
import { newSession, TestServer, until } from '../support/server.ts'

const MiB = 1024 * 1024
const reserveBytes = 64 * MiB

/** A command that gives each commit of the pool something to write. */
const writing = 'while :; do echo more >> log; mkdir d; rm -r d; sleep 0.02; done'

let disk: SmallDisk
let server: TestServer
let env: Record<string, string>

before(async () => {
  disk = await SmallDisk.make(640)
  // Each computer may use more space than the disk has.
  env = {
    CARREL_DATA: disk.directory,
    CARREL_IMAGE: 'tiny',
    CARREL_COMPUTER_DISK_MIB: '4096',
    CARREL_DISK_RESERVE_MIB: String(reserveBytes / MiB),
  }
  server = await TestServer.start({ env })
})
after(async () => {
  await server.stop()
  disk.remove()
})

/**
 * Returns the mode of the pool: `rw`, or `ro` after a write of btrfs itself failed; undefined while it is not mounted.
 */
function poolState(): string | undefined {
  const lines = readFileSync('/proc/self/mountinfo', 'latin1').split('\n')
  const line = lines.find((mount) => mount.split(' ')[4] === join(disk.directory, 'pool'))
  return line?.split(' ').at(-1)!.split(',')[0]
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

test('a guest that writes until there is no room sees a full disk, and others keep working', async () => {
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
  // Deleted data returns to the disk, and the limits are raised again.
  await until(
    () => disk.freeBytes,
    (free) => free > 400 * MiB,
    60_000,
  )
  await until(
    async () =>
      (await server.shell('head -c 100M /dev/zero > again && rm again && echo fits', { sessionId: writer })).stdout,
    (stdout) => stdout === 'fits\n',
    30_000,
  )
})

test('with no byte left, server, monitor and programs survive and new work is refused, until there is room again', async () => {
  const [sessionId, second] = [newSession(), newSession()]
  const { id } = await server.done('/process/start', {
    sessionId,
    command: 'while :; do echo still here; echo more >> log; sleep 0.1; done',
  })
  await server.shell('echo kept > file', { sessionId: second })
  const ending = await server.done('/process/start', { sessionId: second, command: 'cat; echo ended' })
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
    if (round === 0) {
      // An end that cannot be recorded for lack of space is recorded later, without loss.
      disk.fill()
      await server.done('/process/kill', { sessionId: second, processId: ending.id, signal: 'SIGINT' })
    }
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

test('a read-only pool is recovered while the server runs: what ran on it is ended, and new computers work', async () => {
  const [sessionId, watched] = [newSession(), newSession()]
  const { id } = await server.done('/process/start', { sessionId, command: writing })
  await server.shell('true', { sessionId: watched })
  const watching = new AbortController()
  await fetch(`${server.url}/watch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ sessionId: watched, path: '/home/user' }),
    signal: watching.signal,
  })
  server.process.kill('SIGSTOP')
  await makeReadOnly()
  server.process.kill('SIGCONT')
  await until(server.log, (log) => log.includes('the storage pool has turned read-only'))
  disk.clearOut()
  await until(poolState, (state) => state === 'rw', 30_000)
  const { stdout } = await until(
    () => server.post('/execute', { sessionId, code: 'echo new > file; cat file', language: 'shell' }),
    ({ status }) => status === 200,
  ).then(({ body }) => body.result)
  assert.equal(stdout, 'new\n')
  assert.equal((await server.done('/process/get', { sessionId, processId: id })).process.status, 'stopped')
  assert.equal((await server.call('GET', '/health')).status, 200)
  watching.abort()
})

test('a server recovers a read-only pool when it starts', async () => {
  const sessionId = newSession()
  await server.done('/process/start', { sessionId, command: writing })
  await server.stop('SIGKILL')
  await makeReadOnly()
  disk.clearOut()
  server = await TestServer.start({ env })
  assert.equal(poolState(), 'rw')
  assert.equal((await server.shell('echo new > file; cat file', { sessionId })).stdout, 'new\n')
})

/**
 * Makes a commit of the pool fail for lack of space. No server looks after the pool meanwhile: metadata blocks are
 * returned to the disk, and other data takes them.
 */
async function makeReadOnly(): Promise<void> {
  const pool = join(disk.directory, 'pool')
  const attempt = () => {
    try {
      execFileSync('fstrim', [pool], { stdio: 'ignore' })
      disk.fill()
      execFileSync('sync', ['-f', pool], { stdio: 'ignore' })
    } catch {
      // The pool may have become read-only just now.
    }
    return poolState()
  }
  await until(attempt, (state) => state === 'ro', 60_000)
}
