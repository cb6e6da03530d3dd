import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { repeat } from './repeat.ts'

test('a task that fails in the same way again and again is logged once, until it succeeds or fails in another way', async () => {
  const logged: string[] = []
  const write = (line: string) => void logged.push((JSON.parse(line) as { err: { message: string } }).err.message)
  const outcomes = ['away', 'away', 'away', 'full', 'full', undefined, 'full']
  const done = Promise.withResolvers<void>()
  const stop = repeat(pino({}, { write }), 1, async () => {
    const outcome = outcomes.shift()
    if (outcomes.length === 0) done.resolve()
    if (outcome !== undefined) throw new Error(outcome)
  })
  await done.promise
  await stop()
  assert.deepEqual(logged, ['away', 'full', 'full'])
})
