import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyedLock } from './keyed-lock.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('work on one key runs one after the other, in order of arrival', async () => {
  const lock = new KeyedLock()
  const order: string[] = []
  await Promise.all(
    ['a', 'b', 'c'].map((name) =>
      lock.run('key', async () => {
        order.push(`${name} in`)
        await turn()
        order.push(`${name} out`)
      }),
    ),
  )
  assert.deepEqual(order, ['a in', 'a out', 'b in', 'b out', 'c in', 'c out'])
})

test('work on different keys runs concurrently', async () => {
  const lock = new KeyedLock()
  const gate = Promise.withResolvers<void>()
  const waiting = lock.run('one', () => gate.promise)
  assert.equal(await lock.run('two', async () => 'done'), 'done')
  gate.resolve()
  await waiting
})

test('work that fails rejects for its own caller only', async () => {
  const lock = new KeyedLock()
  const failing = lock.run('key', () => Promise.reject(new Error('no')))
  const next = lock.run('key', async () => 'fine')
  await assert.rejects(failing, /no/)
  assert.equal(await next, 'fine')
  assert.equal(await lock.run('key', async () => 'later'), 'later')
})
