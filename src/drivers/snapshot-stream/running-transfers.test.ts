import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../config/limits.ts'
import { RunningTransfers } from './running-transfers.ts'

test('a transfer ends after the longest time, whatever it waits for', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const signal = Promise.withResolvers<AbortSignal>()
  const endless = (given: AbortSignal) => {
    signal.resolve(given)
    return new Promise<never>((_, reject) => given.addEventListener('abort', () => reject(given.reason)))
  }
  const ended = assert.rejects(new RunningTransfers().run('import', 'one', endless), {
    code: 'unavailable',
    message: 'Cannot import snapshot "one": it takes longer than 6 hours',
  })
  t.mock.timers.tick(limits.transferMs - 1)
  assert.equal((await signal.promise).aborted, false)
  t.mock.timers.tick(1)
  await ended
})
