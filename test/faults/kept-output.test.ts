import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { limits } from '../../src/config/limits.ts'
import { newSession, testDataDirectory, TestServer, until } from '../support/server.ts'

const MiB = 1024 * 1024
/** New segments are written before old ones are dropped. */
const slackBytes = 16 * MiB

let server: TestServer

before(async () => {
  // The interval keeps the sweep from pruning anything.
  server = await TestServer.start({ env: { CARREL_SWEEP_INTERVAL_MS: '3600000' } })
})
after(() => server.stop())

/** Returns the bytes of the records on disk. Records may appear and disappear meanwhile. */
function bytesKept(folder = join(testDataDirectory, 'processes')): number {
  let bytes = 0
  for (const name of namesIn(folder)) {
    const path = join(folder, name)
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats?.isDirectory()) bytes += bytesKept(path)
    else bytes += stats?.size ?? 0
  }
  return bytes
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

test('output of ended processes is limited per computer; the oldest is dropped as soon as a process ends', async () => {
  const sessionId = newSession()
  const atFirst = bytesKept()
  const ids: string[] = []
  for (let count = 0; count < 6; count++) {
    const { id } = await server.done('/process/start', { sessionId, command: 'head -c 64M /dev/zero' })
    ids.push(id)
    await until(
      async () => (await server.done('/process/get', { sessionId, processId: id })).process.status,
      (status) => status !== 'running',
      60_000,
    )
  }
  await until(
    () => bytesKept(),
    (bytes) => bytes - atFirst <= limits.outputPerComputerBytes + slackBytes,
  )
  await until(
    async () => (await server.post('/process/get', { sessionId, processId: ids[0] })).status,
    (status) => status === 404,
  )
  const newest = await server.done('/process/get', { sessionId, processId: ids.at(-1) })
  assert.deepEqual([newest.process.exitCode, newest.logs.truncated], [0, false])
})

test('output of running processes is limited per computer, and reported as dropped', async () => {
  const sessionId = newSession()
  const atFirst = bytesKept()
  const ids: string[] = []
  for (let count = 0; count < 6; count++) {
    const { id } = await server.done('/process/start', { sessionId, command: 'head -c 60M /dev/zero; echo; sleep 600' })
    ids.push(id)
  }
  let peakBytes = 0
  await until(
    async () => {
      peakBytes = Math.max(peakBytes, bytesKept() - atFirst)
      const { processes } = await server.done('/process/list', { sessionId, all: true })
      const first = await server.done('/process/get', { sessionId, processId: ids[0] })
      return [processes.length, first.logs.truncated]
    },
    ([, isTruncated]) => isTruncated === true,
    60_000,
  )
  assert.ok(peakBytes <= limits.outputPerComputerBytes + slackBytes, `${peakBytes} bytes were on the disk`)
})
