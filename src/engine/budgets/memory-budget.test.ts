import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryBudget } from './memory-budget.ts'

const options = { totalBytes: 100, accountBytes: 60, maxWaiting: 2, maxWaitMs: 60_000 }

/** Records the names of reservations in the order in which they are admitted. */
function recorder(budget: MemoryBudget) {
  const admitted: string[] = []
  const ask = async (accountId: string, bytes: number, name: string) => {
    const release = await budget.reserve(accountId, bytes)
    admitted.push(name)
    return release
  }
  return { admitted, ask }
}

test('an account can hold its share, and all accounts together the whole', async () => {
  const budget = new MemoryBudget(options)
  const { admitted, ask } = recorder(budget)
  const first = await ask('a', 60, 'a1')
  const waits = ask('a', 10, 'a2')
  await ask('b', 40, 'b1')
  assert.equal(budget.tryReserve('c', 1), undefined)
  assert.deepEqual([admitted, budget.heldBytes, budget.waiting], [['a1', 'b1'], 100, 1])
  first()
  first()
  await waits
  assert.deepEqual([admitted, budget.heldBytes], [['a1', 'b1', 'a2'], 50])
})

test('accounts take turns, and small reservations do not overtake a large one forever', async () => {
  const budget = new MemoryBudget(options)
  const { admitted, ask } = recorder(budget)
  const held = [await ask('a', 50, 'a1'), await ask('b', 50, 'b1')]
  const large = ask('c', 60, 'c1')
  const rest = [ask('d', 1, 'd1'), ask('d', 1, 'd2'), ask('e', 1, 'e1')]
  held[0]!()
  await new Promise(setImmediate)
  assert.deepEqual(admitted, ['a1', 'b1'])
  held[1]!()
  await Promise.all([large, ...rest])
  assert.deepEqual(admitted.slice(2), ['c1', 'd1', 'e1', 'd2'])
})

test('a reservation that is larger than the total is admitted alone', async () => {
  const budget = new MemoryBudget(options)
  const { admitted, ask } = recorder(budget)
  const small = await ask('a', 1, 'a1')
  const large = ask('b', 500, 'b1')
  await new Promise(setImmediate)
  assert.deepEqual(admitted, ['a1'])
  small()
  ;(await large)()
  assert.equal(budget.heldBytes, 0)
})

test('a reservation is refused when it waits too long or its queue is full', async () => {
  const budget = new MemoryBudget({ ...options, maxWaitMs: 20 })
  const { ask } = recorder(budget)
  const release = await ask('a', 60, 'a1')
  const waits = [ask('a', 60, 'a2'), ask('a', 1, 'a3')]
  await assert.rejects(ask('a', 1, 'a4'), { code: 'limit_reached' })
  for (const each of waits) await assert.rejects(each, { code: 'no_capacity' })
  release()
  assert.deepEqual([budget.heldBytes, budget.waiting], [0, 0])
})
