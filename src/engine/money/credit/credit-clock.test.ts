import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { CreditClock } from './credit-clock.ts'

/** At $0.0001 a second, with looks every five seconds. */
function clockOf(t: TestContext, running: { certain: number; possible: number }) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const looks: string[] = []
  const clock = new CreditClock({
    meter: { spending: () => running },
    price: { micros: 100, per: 1000 },
    everyMs: 5000,
    look: (accountId) => looks.push(accountId),
  })
  t.after(() => clock.close())
  /** How many looks there were when so much time had passed. */
  const after = (ms: number) => {
    t.mock.timers.tick(ms)
    return looks.length
  }
  return { clock, after }
}

test('the more computers run, the sooner credit ends; those that might count as if they did', (t) => {
  const { clock, after } = clockOf(t, { certain: 3, possible: 1 })
  clock.set('a', 400)
  assert.deepEqual([after(999), after(1), after(10_000)], [0, 1, 1])
})

test('credit that lasts until the next look anyway has no timer, also not that of before', (t) => {
  const { clock, after } = clockOf(t, { certain: 1, possible: 0 })
  clock.set('a', 400)
  clock.set('a', 501)
  assert.equal(after(60_000), 0)
})

test('where something only may run it is not looked for again and again', (t) => {
  const { clock, after } = clockOf(t, { certain: 0, possible: 1 })
  clock.set('a', 1)
  assert.deepEqual([after(499), after(1)], [0, 1])
})

test('where nothing can run there is no timer, and none is set after the end', (t) => {
  const running = { certain: 0, possible: 0 }
  const { clock, after } = clockOf(t, running)
  clock.set('a', 1)
  running.certain = 1
  clock.close()
  clock.set('a', 1)
  assert.equal(after(60_000), 0)
})
