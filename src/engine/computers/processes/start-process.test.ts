import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TestApp } from '../../../../test/support/test-app.ts'
import { limits } from '../../../config/limits.ts'
import { openComputer } from '../access/open-computer.ts'
import { startProcess } from './start-process.ts'

test('concurrent starts do not exceed the limit of a computer together', async (t) => {
  const app = await TestApp.start()
  t.after(() => app.stop())
  const { engine } = app
  const caller = { accountId: engine.server.ownerId, tokenId: 'test' }
  using computer = await openComputer(engine, caller, { name: 'busy' }, 'run')
  engine.starting.set(computer.id, limits.processesPerComputer - 3)
  const program = { argv: ['sleep', '100'] }
  const starts = await Promise.allSettled(
    Array.from({ length: 12 }, () => startProcess(engine, computer, { kind: 'exec', program, command: 'sleep 100' })),
  )
  const refused = starts.flatMap((start) => (start.status === 'rejected' ? [start.reason.code] : []))
  assert.deepEqual(refused, Array(9).fill('limit_reached'))
  assert.equal(engine.starting.get(computer.id), limits.processesPerComputer - 3, 'no start is counted twice')
})
