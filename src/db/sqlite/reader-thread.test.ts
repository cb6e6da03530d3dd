import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { limits } from '../../config/limits.ts'
import { FairReader, type Statement } from '../fair-reader.ts'
import { openDatabase } from '../open.ts'
import { readMany } from '../read-many.ts'
import { ReaderThread } from './reader-thread.ts'

async function open(t: TestContext, maxWaitMs?: number) {
  const folder = mkdtempSync(join(tmpdir(), 'carrel-reader-'))
  const path = join(folder, 'carrel.db')
  const db = await openDatabase(path)
  const reader = new FairReader(new ReaderThread(path), maxWaitMs)
  t.after(async () => {
    reader.close()
    await db.destroy()
    rmSync(folder, { recursive: true })
  })
  return { db, reader }
}

const ask = (sql: string, ...parameters: unknown[]): Statement[] => [{ sql, parameters }]
/** Takes a few tenths of a second. */
const slow = ask(
  'with recursive n(i) as (select 0 union all select i + 1 from n where i < ?) select max(i) as max from n',
  1_000_000,
)
const quick = ask('select ? as it', 1)

test('readMany() returns the rows of several queries as of one time, with earlier commits', async (t) => {
  const { db } = await open(t)
  await db
    .insertInto('accounts')
    .values({ id: 'a', name: 'n', created_at: 1, created_by: null, shared: 0, delete_at: null })
    .execute()
  const accounts = db.selectFrom('accounts').select(['id', 'created_at'])
  const [rows, none, count] = await readMany(db, 'a', [
    accounts,
    accounts.where('id', '=', 'b'),
    db.selectFrom('accounts').select(({ fn }) => fn.countAll<number>().as('count')),
  ])
  assert.deepEqual([rows, none, count], [[{ id: 'a', created_at: 1 }], [], [{ count: 1 }]])
})

test('the main thread continues meanwhile', async (t) => {
  const { reader } = await open(t)
  let turns = 0
  const turning = setInterval(() => turns++, 1)
  assert.deepEqual(await reader.read('a', slow), [[{ max: 1_000_000 }]])
  clearInterval(turning)
  assert.ok(turns > 20, `${turns} turns`)
})

test('accounts take turns, and only the account with too many reads is refused', async (t) => {
  const { reader } = await open(t)
  const answered: string[] = []
  const read = async (accountId: string, statements: Statement[]) => {
    await reader.read(accountId, statements)
    answered.push(accountId)
  }
  const first = read('much', slow)
  const waiting = Array.from({ length: limits.bulkReadsPerAccount }, () => read('much', quick))
  assert.throws(() => reader.read('much', quick), { code: 'limit_reached' })
  await read('little', quick)
  assert.ok(answered.filter((accountId) => accountId === 'much').length <= 2, answered.join())
  await Promise.all([first, ...waiting])
  await read('much', quick)
})

test('reads that wait too long fail, also the running one, and others get their answers', async (t) => {
  const { reader } = await open(t, 50)
  const late = [reader.read('a', slow), reader.read('b', slow)]
  for (const { status } of await Promise.allSettled(late)) assert.equal(status, 'rejected')
  for (;;) {
    // Nothing interrupts a running query.
    const answer = await reader.read('c', quick).catch((error: { code: string }) => error.code)
    if (answer === 'unavailable') continue
    assert.deepEqual(answer, [[{ it: 1 }]])
    return
  }
})

test('writing is impossible, and a failed query does not break the reader', async (t) => {
  const { reader } = await open(t)
  await assert.rejects(reader.read('a', ask('delete from accounts')), /readonly/)
  await assert.rejects(reader.read('a', ask('select nothing')), /nothing/)
  assert.deepEqual(await reader.read('a', quick), [[{ it: 1 }]])
})

test('close() refuses running, waiting and later reads', async (t) => {
  const { reader } = await open(t)
  const asked = [reader.read('a', slow), reader.read('a', quick)]
  reader.close()
  for (const outcome of await Promise.allSettled(asked))
    assert.equal(outcome.status === 'rejected' && outcome.reason.code, 'unavailable')
  await assert.rejects(reader.read('a', quick), { code: 'unavailable' })
})
