import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { limits } from '../../config/limits.ts'
import { PeerPatience } from './peer-patience.ts'

const stallMs = 1000

/** Returns a function that waits for a peer that answers after some time, and tells whether the patience lasted. */
function waiter(t: TestContext): (ms: number) => Promise<boolean> {
  let nowMs = 0
  t.mock.method(performance, 'now', () => nowMs)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  return async (ms) => {
    const answer = Promise.withResolvers<boolean>()
    const waiting = patience.await(answer.promise, () => new Error('impatient'))
    nowMs += ms
    t.mock.timers.tick(ms)
    answer.resolve(true)
    return waiting.catch(() => false)
  }
}

let patience = new PeerPatience(stallMs)

test('a peer may pause once for the whole time, or several times for parts of it', async (t) => {
  const wait = waiter(t)
  for (const pauses of [[999], [400, 400, 199]]) {
    patience = new PeerPatience(stallMs)
    for (const ms of pauses) assert.equal(await wait(ms), true)
    assert.equal(await wait(1), false)
  }
})

test('bytes earn back the time that they take at the minimum rate, up to one whole pause', async (t) => {
  const wait = waiter(t)
  patience = new PeerPatience(stallMs)
  for (let second = 0; second < 100; second++) {
    assert.equal(await wait(900), true)
    patience.earn(0.9 * limits.transferBytesPerSecond)
  }
  patience.earn(100 * limits.transferBytesPerSecond)
  assert.equal(await wait(999), true)
  assert.equal(await wait(1), false)
})

test('a peer that is slower than the minimum rate uses the patience up', async (t) => {
  const wait = waiter(t)
  patience = new PeerPatience(stallMs)
  let seconds = 0
  for (; await wait(100); seconds += 0.1) patience.earn(0.05 * limits.transferBytesPerSecond)
  assert.ok(seconds > 1 && seconds < 3, `it waited for ${seconds} s`)
})
