import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { newSession, TestServer, until } from '../support/server.ts'
import { computerRow, tracesOf } from './host-traces.ts'

let server: TestServer
before(async () => {
  server = await TestServer.start({ env: { CARREL_IDLE_TIMEOUT_S: '1', CARREL_SWEEP_INTERVAL_MS: '100' } })
})
after(() => server.stop())

const stopped = (sessionId: string) =>
  until(
    () => computerRow(sessionId),
    (row) => row?.state === 'stopped',
  )

test('an unused sandbox is stopped, its files are gone, and the next use restores it under the same id', async () => {
  const sessionId = newSession()
  await server.shell('echo old > /workspace/file', { sessionId })
  const { id } = (await computerRow(sessionId))!
  const row = await stopped(sessionId)
  assert.equal(row?.state_reason, 'idle')
  assert.deepEqual(tracesOf(id), [])
  const { stdout } = await server.shell('ls /workspace; echo new', { sessionId })
  assert.equal(stdout, 'new\n')
  assert.equal((await computerRow(sessionId))?.id, id)
})

test('a running process keeps its sandbox; the idle time begins when it ends', async () => {
  const sessionId = newSession()
  await server.post('/process/start', { command: 'sleep 1000', processId: 'sleeper', sessionId, timeout: 0 })
  for (const end = Date.now() + 3000; Date.now() < end; await delay(100))
    assert.equal((await computerRow(sessionId))?.state, 'running')
  await server.post('/process/kill', { sessionId, processId: 'sleeper', signal: 'SIGKILL' })
  const killedAt = Date.now()
  await stopped(sessionId)
  assert.ok(Date.now() - killedAt >= 900, `it was stopped after ${Date.now() - killedAt} ms`)
})

test('an open request keeps its sandbox', async () => {
  const sessionId = newSession()
  const { stdout } = await server.shell('sleep 3; echo still here', { sessionId })
  assert.equal(stdout, 'still here\n')
})

test('a request at the moment of an idle stop never fails', async () => {
  const sessions = Array.from({ length: 12 }, newSession)
  let stops = 0
  await Promise.all(
    sessions.map(async (sessionId) => {
      for (let round = 0; round < 5; round++) {
        const { stdout } = await server.shell('test -e /workspace/x && echo old || echo new; touch /workspace/x', {
          sessionId,
        })
        assert.match(stdout, /^(old|new)\n$/)
        if (stdout === 'new\n') stops++
        await delay(970 + Math.random() * 200)
      }
    }),
  )
  assert.ok(stops > sessions.length, `only ${stops} sandboxes were new: no request came after a stop`)
})
