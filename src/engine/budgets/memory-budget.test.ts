import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryBudget } from './memory-budget.ts'

const options = { totalBytes: 100, accountBytes: 60, maxWaiting: 2, patienceMs: 60_000 }

/** Who was let in, in order. */
function asker(budget: MemoryBudget) {
  const entered: string[] = []
  const ask = async (accountId: string, bytes: number, name: string) => {
    const release = await budget.reserve(accountId, bytes)
    entered.push(name)
    return release
  }
  return { entered, ask }
}

test('lets an account hold its share, and all together the whole', async () => {
  const budget = new MemoryBudget(options)
  const { entered, ask } = asker(budget)
  const first = await ask('a', 60, 'a1')
  const waits = ask('a', 10, 'a2')
  await ask('b', 40, 'b1')
  assert.equal(budget.tryReserve('c', 1), undefined)
  assert.deepEqual([entered, budget.heldBytes, budget.waiting], [['a1', 'b1'], 100, 1])
  first()
  first()
  await waits
  assert.deepEqual([entered, budget.heldBytes], [['a1', 'b1', 'a2'], 50])
})

test('gives turns to accounts, and does not let small ones pass a large one for ever', async () => {
  const budget = new MemoryBudget(options)
  const { entered, ask } = asker(budget)
  const held = [await ask('a', 50, 'a1'), await ask('b', 50, 'b1')]
  const large = ask('c', 60, 'c1')
  const rest = [ask('d', 1, 'd1'), ask('d', 1, 'd2'), ask('e', 1, 'e1')]
  held[0]!()
  await new Promise(setImmediate)
  assert.deepEqual(entered, ['a1', 'b1'])
  held[1]!()
  await Promise.all([large, ...rest])
  assert.deepEqual(entered.slice(2), ['c1', 'd1', 'e1', 'd2'])
})

test('lets what is larger than everything in alone', async () => {
  const budget = new MemoryBudget(options)
  const { entered, ask } = asker(budget)
  const small = await ask('a', 1, 'a1')
  const large = ask('b', 500, 'b1')
  await new Promise(setImmediate)
  assert.deepEqual(entered, ['a1'])
  small()
  ;(await large)()
  assert.equal(budget.heldBytes, 0)
})

test('refuses what waits too long, or behind too many of its account', async () => {
  const budget = new MemoryBudget({ ...options, patienceMs: 20 })
  const { ask } = asker(budget)
  const release = await ask('a', 60, 'a1')
  const waits = [ask('a', 60, 'a2'), ask('a', 1, 'a3')]
  await assert.rejects(ask('a', 1, 'a4'), { code: 'limit_reached' })
  for (const each of waits) await assert.rejects(each, { code: 'no_capacity' })
  release()
  assert.deepEqual([budget.heldBytes, budget.waiting], [0, 0])
})
