import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, test } from 'node:test'
import { FairSemaphore } from './fair-semaphore.ts'

const gateOf = (places: number, options: Partial<ConstructorParameters<typeof FairSemaphore>[0]> = {}) =>
  new FairSemaphore({
    doing: 'do it',
    places,
    patienceMs: 60_000,
    maxWaitingOfOne: 1000,
    maxWaiting: 10_000,
    ...options,
  })

/** Work that lasts until it is told to end. */
function held() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { work: () => promise, end: resolve }
}

describe('FairSemaphore', () => {
  test('lets no more in than it has places, those of one account in the order in which they came', async () => {
    const gate = gateOf(3)
    const order: number[] = []
    let inside = 0
    let most = 0
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        gate.run('a', async () => {
          order.push(index)
          most = Math.max(most, ++inside)
          await turn()
          inside--
        }),
      ),
    )
    assert.equal(most, 3)
    assert.deepEqual(order, [...order.keys()])
    assert.equal(gate.waiting, 0)
  })

  test('work that fails lets the next one in', async () => {
    const gate = gateOf(1)
    const failing = gate.run('a', () => Promise.reject(new Error('no')))
    const next = gate.run('a', async () => 'in')
    assert.equal(gate.waiting, 1)
    await assert.rejects(failing, /no/)
    assert.equal(await next, 'in')
  })

  test('who comes between two turns does not get in beyond the places', async () => {
    const gate = gateOf(1)
    let inside = 0
    const work = async () => {
      assert.equal(++inside, 1)
      await Promise.resolve()
      inside--
    }
    const first = gate.run('a', work)
    const second = gate.run('b', work)
    await first
    await Promise.all([second, gate.run('a', work), gate.run('b', work)])
  })

  test('the next place is that of an account with nothing under way, however many of another one wait', async () => {
    const gate = gateOf(2)
    const order: string[] = []
    const run = (account: string) =>
      gate.run(account, async () => {
        order.push(account)
        await turn()
      })
    await Promise.all([...Array.from({ length: 100 }, () => run('a')), run('b'), run('c')])
    assert.deepEqual(order.slice(0, 5).toSorted(), ['a', 'a', 'a', 'b', 'c'])
  })

  test('accounts that all have much to do take turns', async () => {
    const gate = gateOf(1)
    const order: string[] = []
    const run = (account: string) => gate.run(account, async () => void order.push(account))
    await Promise.all(['a', 'a', 'a', 'a', 'b', 'b', 'b', 'c', 'c', 'c'].map(run))
    for (const account of ['a', 'b', 'c'])
      assert.equal(order.slice(1, 7).filter((one) => one === account).length, 2, order.join(' '))
  })

  test('work that hangs gives up its place, and its account gets no more than all places', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const gate = gateOf(2, { patienceMs: 500 })
    const hanging = Array.from({ length: 4 }, held)
    const ran = hanging.map(({ work }) => gate.run('a', work))
    t.mock.timers.tick(499)
    const other = gate.run('b', async () => 'b')
    assert.equal(gate.waiting, 3)
    t.mock.timers.tick(1)
    assert.equal(await other, 'b')
    // Both places are free, and `a` still has two under way.
    assert.equal(gate.waiting, 2)
    hanging[0]!.end()
    await ran[0]
    assert.equal(gate.waiting, 1)
    for (const { end } of hanging) end()
    await Promise.all(ran)
    const left = Array.from({ length: 3 }, held)
    const last = left.map(({ work }) => gate.run('c', work))
    assert.equal(gate.waiting, 1, 'there are two places again')
    for (const { end } of left) end()
    await Promise.all(last)
  })

  test('the line of one account is bounded, and so are all lines together', async () => {
    const gate = gateOf(1, { maxWaitingOfOne: 2, maxWaiting: 3 })
    const { work, end } = held()
    const ran = [gate.run('a', work), gate.run('a', work), gate.run('a', work)]
    await assert.rejects(gate.run('a', work), { code: 'limit_reached' })
    ran.push(gate.run('b', work))
    await assert.rejects(gate.run('c', work), { code: 'no_capacity' })
    end()
    await Promise.all(ran)
    assert.equal(await gate.run('c', async () => 'in'), 'in')
  })
})
