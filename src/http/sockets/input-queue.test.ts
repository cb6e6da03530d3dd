import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { InputQueue } from './input-queue.ts'

function queueOf(onError: (error: unknown) => void = assert.ifError) {
  const socket = {
    isPaused: false,
    pause: () => void (socket.isPaused = true),
    resume: () => void (socket.isPaused = false),
  }
  return { socket, queue: new InputQueue(socket, onError) }
}

test('work is done in order, also after work that failed', async () => {
  const [done, errors]: [number[], unknown[]] = [[], []]
  const { queue } = queueOf((error) => errors.push(error))
  for (const number of [1, 2, 3])
    queue.take(10, async () => {
      await setImmediate()
      if (number === 2) throw new Error('two')
      done.push(number)
    })
  await new Promise<void>((resolve) => queue.take(0, async () => resolve()))
  assert.deepEqual([done, errors.map(String)], [[1, 3], ['Error: two']])
})

for (const [messageBytes, maxMessages] of [
  [0, 1024],
  [1, 1024],
  [100_000, 11],
] as const)
  test(`a client is not read while many messages of ${messageBytes} bytes wait`, async () => {
    const { socket, queue } = queueOf()
    const first = Promise.withResolvers<void>()
    queue.take(messageBytes, () => first.promise)
    let taken = 1
    for (; !socket.isPaused && taken < 10_000; taken++) queue.take(messageBytes, async () => {})
    assert.ok(taken <= maxMessages + 1, `${taken} messages`)
    first.resolve()
    await setImmediate()
    assert.ok(!socket.isPaused)
  })

test('drop() leaves out what has not begun', async () => {
  const { queue } = queueOf()
  const first = Promise.withResolvers<void>()
  queue.take(1, () => first.promise)
  queue.take(1, () => assert.fail('dropped'))
  queue.drop()
  first.resolve()
  await new Promise<void>((resolve) => queue.take(0, async () => resolve()))
})
