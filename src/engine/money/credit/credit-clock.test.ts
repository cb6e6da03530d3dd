import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { CreditClock } from './credit-clock.ts'

/** Returns a clock at $0.0001 a second, with a check every five seconds. */
function clockOf(t: TestContext, running: { certain: number; possible: number }) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const checks: string[] = []
  const clock = new CreditClock({
    meter: { spending: () => running },
    price: { micros: 100, per: 1000 },
    everyMs: 5000,
    check: (accountId) => checks.push(accountId),
  })
  t.after(() => clock.close())
  /** Lets time pass. Returns the number of checks so far. */
  const after = (ms: number) => {
    t.mock.timers.tick(ms)
    return checks.length
  }
  return { clock, after }
}

test('the more computers run, the sooner credit ends; possible work counts as running', (t) => {
  const { clock, after } = clockOf(t, { certain: 3, possible: 1 })
  clock.set('a', 400)
  assert.deepEqual([after(999), after(1), after(10_000)], [0, 1, 1])
})

test('credit that lasts until the next periodic check has no timer, and cancels an earlier one', (t) => {
  const { clock, after } = clockOf(t, { certain: 1, possible: 0 })
  clock.set('a', 400)
  clock.set('a', 501)
  assert.equal(after(60_000), 0)
})

test('merely possible work is not checked at a high rate', (t) => {
  const { clock, after } = clockOf(t, { certain: 0, possible: 1 })
  clock.set('a', 1)
  assert.deepEqual([after(499), after(1)], [0, 1])
})

test('nothing is scheduled where nothing can run, or after close()', (t) => {
  const running = { certain: 0, possible: 0 }
  const { clock, after } = clockOf(t, running)
  clock.set('a', 1)
  running.certain = 1
  clock.close()
  clock.set('a', 1)
  assert.equal(after(60_000), 0)
})
