import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, test } from 'node:test'
import { FairSemaphore } from './fair-semaphore.ts'

const semaphoreWith = (permits: number, options: Partial<ConstructorParameters<typeof FairSemaphore>[0]> = {}) =>
  new FairSemaphore({
    action: 'do it',
    permits,
    maxHoldMs: 60_000,
    maxWaitingOfOne: 1000,
    maxWaiting: 10_000,
    ...options,
  })

/** Returns work that lasts until `end` is called. */
function held() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { work: () => promise, end: resolve }
}

describe('FairSemaphore', () => {
  test('admits no more callers than it has permits, and those of one account in the order in which they came', async () => {
    const semaphore = semaphoreWith(3)
    const order: number[] = []
    let inside = 0
    let maxInside = 0
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        semaphore.run('a', async () => {
          order.push(index)
          maxInside = Math.max(maxInside, ++inside)
          await turn()
          inside--
        }),
      ),
    )
    assert.equal(maxInside, 3)
    assert.deepEqual(order, [...order.keys()])
    assert.equal(semaphore.waiting, 0)
  })

  test('work that fails admits the next caller', async () => {
    const semaphore = semaphoreWith(1)
    const failing = semaphore.run('a', () => Promise.reject(new Error('no')))
    const next = semaphore.run('a', async () => 'in')
    assert.equal(semaphore.waiting, 1)
    await assert.rejects(failing, /no/)
    assert.equal(await next, 'in')
  })

  test('a caller that arrives between two turns gets no additional permit', async () => {
    const semaphore = semaphoreWith(1)
    let inside = 0
    const work = async () => {
      assert.equal(++inside, 1)
      await Promise.resolve()
      inside--
    }
    const first = semaphore.run('a', work)
    const second = semaphore.run('b', work)
    await first
    await Promise.all([second, semaphore.run('a', work), semaphore.run('b', work)])
  })

  test('the next permit goes to an account with nothing running, however many callers of another account wait', async () => {
    const semaphore = semaphoreWith(2)
    const order: string[] = []
    const run = (account: string) =>
      semaphore.run(account, async () => {
        order.push(account)
        await turn()
      })
    await Promise.all([...Array.from({ length: 100 }, () => run('a')), run('b'), run('c')])
    assert.deepEqual(order.slice(0, 5).toSorted(), ['a', 'a', 'a', 'b', 'c'])
  })

  test('accounts with long queues take turns', async () => {
    const semaphore = semaphoreWith(1)
    const order: string[] = []
    const run = (account: string) => semaphore.run(account, async () => void order.push(account))
    await Promise.all(['a', 'a', 'a', 'a', 'b', 'b', 'b', 'c', 'c', 'c'].map(run))
    for (const account of ['a', 'b', 'c'])
      assert.equal(order.slice(1, 7).filter((one) => one === account).length, 2, order.join(' '))
  })

  test('work that hangs hands on its permit, and its account never has more running than there are permits', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const semaphore = semaphoreWith(2, { maxHoldMs: 500 })
    const hanging = Array.from({ length: 4 }, held)
    const ran = hanging.map(({ work }) => semaphore.run('a', work))
    t.mock.timers.tick(499)
    const other = semaphore.run('b', async () => 'b')
    assert.equal(semaphore.waiting, 3)
    t.mock.timers.tick(1)
    assert.equal(await other, 'b')
    // Both permits are free, and `a` still has two running.
    assert.equal(semaphore.waiting, 2)
    hanging[0]!.end()
    await ran[0]
    assert.equal(semaphore.waiting, 1)
    for (const { end } of hanging) end()
    await Promise.all(ran)
    const left = Array.from({ length: 3 }, held)
    const last = left.map(({ work }) => semaphore.run('c', work))
    assert.equal(semaphore.waiting, 1, 'there are two permits again')
    for (const { end } of left) end()
    await Promise.all(last)
  })

  test('the queue of one account is bounded, and so are all queues together', async () => {
    const semaphore = semaphoreWith(1, { maxWaitingOfOne: 2, maxWaiting: 3 })
    const { work, end } = held()
    const ran = [semaphore.run('a', work), semaphore.run('a', work), semaphore.run('a', work)]
    await assert.rejects(semaphore.run('a', work), { code: 'limit_reached' })
    ran.push(semaphore.run('b', work))
    await assert.rejects(semaphore.run('c', work), { code: 'no_capacity' })
    end()
    await Promise.all(ran)
    assert.equal(await semaphore.run('c', async () => 'in'), 'in')
  })
})
