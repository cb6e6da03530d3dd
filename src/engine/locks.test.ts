import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { transaction } from '../db/transaction.ts'
import { Locks } from './locks.ts'
import { openTestDatabase } from '../../test/support/test-database.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Takes a lock of each kind, in the order in which they may be nested. */
const kinds: ((locks: Locks, work: () => Promise<unknown>) => Promise<unknown>)[] = [
  (locks, work) => locks.sandboxName('account', 'name', work),
  (locks, work) => locks.computer('id', work),
  (locks, work) => locks.kernel('id', 'python', work),
  (locks, work) => locks.processName('id', 'name', work),
  (locks, work) => locks.files('id', work),
  (locks, work) => locks.challenge('id', work),
  (locks, work) => locks.intent('id', work),
  (locks, work) => locks.usage(work),
]

test('every lock may be taken inside every one before it, and inside none that comes after it or is of its kind', async () => {
  for (const [outerRank, outer] of kinds.entries())
    for (const [innerRank, inner] of kinds.entries()) {
      const locks = new Locks()
      const nested = outer(locks, () => inner(locks, async () => 'done'))
      if (innerRank > outerRank) assert.equal(await nested, 'done')
      else await assert.rejects(nested, /^Error: Cannot take lock \w+.*: this work holds \w+.*, which comes after it/)
    }
})

test('all of them may be nested, and are free afterwards', async () => {
  const locks = new Locks()
  const all = (rank = 0): Promise<unknown> => kinds[rank]?.(locks, () => all(rank + 1)) ?? Promise.resolve('done')
  assert.equal(await all(), 'done')
  assert.equal(await all(), 'done')
})

test('a lock that is taken out of order is refused, although nothing waits for it', async () => {
  const locks = new Locks()
  await assert.rejects(
    locks.usage(() => locks.computer('b', async () => {})),
    new Error('Cannot take lock computer "b": this work holds usage, which comes after it or is of its kind'),
  )
  await assert.rejects(
    locks.computer('a', async () => {
      await turn()
      await locks.intent('i', () => locks.computer('b', async () => {}))
    }),
    /Cannot take lock computer "b": this work holds intent "i"/,
  )
  assert.equal(await locks.computer('b', async () => 'free'), 'free')
})

test('work that was started inside and outlasts it holds nothing any more', async () => {
  const locks = new Locks()
  let later: Promise<unknown> = Promise.resolve()
  const gate = Promise.withResolvers<void>()
  await locks.usage(async () => {
    later = gate.promise.then(() => locks.computer('a', () => locks.usage(async () => 'later')))
  })
  gate.resolve()
  assert.equal(await later, 'later')
})

test('no lock may be taken in a transaction, and no transaction begun in one', async (t) => {
  const db = await openTestDatabase(t)
  const locks = new Locks()
  for (const kind of ['operational', 'durable'] as const) {
    await assert.rejects(
      transaction(db, kind, () => locks.usage(async () => {})),
      /Cannot take lock usage: whoever holds it may wait for this transaction/,
    )
    await assert.rejects(
      transaction(db, kind, () => transaction(db, kind, async () => {})),
      /Cannot begin a transaction: this work is in one already/,
    )
    assert.equal(await locks.usage(() => transaction(db, kind, async () => 'inside')), 'inside')
  }
  let later: Promise<unknown> = Promise.resolve()
  const gate = Promise.withResolvers<void>()
  await transaction(db, 'operational', async () => {
    later = gate.promise.then(() => locks.usage(() => transaction(db, 'operational', async () => 'later')))
  })
  gate.resolve()
  assert.equal(await later, 'later')
})

test('work that fails releases its lock', async () => {
  const locks = new Locks()
  await assert.rejects(
    locks.computer('a', async () => Promise.reject(new Error('no'))),
    /^Error: no$/,
  )
  assert.equal(await locks.computer('a', async () => 'free'), 'free')
})

test('one of a kind and key at a time; others at once', async () => {
  const locks = new Locks()
  const gate = Promise.withResolvers<void>()
  const order: string[] = []
  const first = locks.computer('id', () => gate.promise.then(() => void order.push('first')))
  const second = locks.computer('id', async () => void order.push('second'))
  await Promise.all([
    ...kinds.filter((_, rank) => rank !== 1).map((take) => take(locks, async () => {})),
    locks.computer('other', async () => {}),
    locks.processName('a', 'b/c', () => turn()),
  ])
  assert.deepEqual(order, [])
  gate.resolve()
  await Promise.all([first, second])
  assert.deepEqual(order, ['first', 'second'])
})

test('keys of several parts are different when their parts are', async () => {
  const locks = new Locks()
  const gate = Promise.withResolvers<void>()
  const waiting = locks.sandboxName('a', 'b/c', () => gate.promise)
  assert.equal(await locks.sandboxName('a/b', 'c', async () => 'other'), 'other')
  gate.resolve()
  await waiting
})

test('nothing else in the engine makes locks, whose order nobody would check', () => {
  const folder = new URL('./', import.meta.url).pathname
  const files = globSync('**/*.ts', { cwd: folder }).filter((file) => !file.endsWith('.test.ts'))
  assert.ok(files.length > 200)
  const others = files.filter((file) => readFileSync(folder + file, 'utf8').includes('keyed-lock.ts'))
  assert.deepEqual(others, ['locks.ts'])
})
