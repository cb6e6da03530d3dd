import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { defaultPrices as prices } from '../../../src/config/price-book.ts'
import { openDatabase } from '../../../src/db/open.ts'
import { transaction } from '../../../src/db/transaction.ts'
import { createAccount } from '../../../src/engine/identity/accounts/owner.ts'
import { quoteFor, topUp } from '../../../src/engine/money/ledger/top-up.ts'
import { PostgresProxy, type LostCommit } from '../../support/postgres-proxy.ts'
import { newDatabase } from '../../support/test-database.ts'

const unknown = {
  code: 'unavailable',
  message: 'The database does not answer: whether the change was made is not known',
}

async function database(t: TestContext) {
  const ends: (() => Promise<unknown> | void)[] = []
  const later = { after: (end: () => Promise<unknown> | void) => void ends.push(end) }
  const proxy = await PostgresProxy.start(later, await newDatabase(later))
  const db = await openDatabase(proxy.url)
  t.after(async () => {
    await db.destroy()
    for (const end of ends) await end()
  })
  return { db, proxy, accountId: await createAccount(db, 'account') }
}

for (const when of ['before', 'after'] satisfies LostCommit[])
  test(`a transaction whose connection is lost ${when} PostgreSQL commits says that its outcome is not known`, async (t) => {
    const { db, proxy, accountId } = await database(t)
    const lost = proxy.loseCommit(when)
    const renamed = transaction(db, 'operational', async (trx) => {
      await trx.updateTable('accounts').set({ name: 'renamed' }).where('id', '=', accountId).execute()
    })
    await assert.rejects(renamed, unknown)
    await lost
    const { name } = await db
      .selectFrom('accounts')
      .select('name')
      .where('id', '=', accountId)
      .executeTakeFirstOrThrow()
    assert.equal(name, when === 'after' ? 'renamed' : 'account')
  })

for (const when of ['before', 'after'] satisfies LostCommit[])
  test(`a payment is credited once when the connection is lost ${when} PostgreSQL commits, and it is reported again`, async (t) => {
    const { db, proxy, accountId } = await database(t)
    const pay = () =>
      topUp(db, prices, {
        accountId,
        key: 'stripe:1',
        method: 'stripe',
        quote: quoteFor(prices, { amountCents: 1000 }),
      })
    void proxy.loseCommit(when)
    await assert.rejects(pay(), unknown)
    const { isNew, balanceMicros } = await pay()
    assert.equal(isNew, when === 'before')
    assert.equal(balanceMicros, 10_000_000)
  })

test('a connection that is lost within a transaction undoes it, and the next one works', async (t) => {
  const { db, proxy, accountId } = await database(t)
  const renamed = transaction(db, 'operational', async (trx) => {
    const rename = (name: string) => trx.updateTable('accounts').set({ name }).where('id', '=', accountId).execute()
    await rename('first')
    proxy.cut()
    await rename('second')
  })
  await assert.rejects(renamed, { code: 'unavailable', message: 'The database does not answer' })
  const { name } = await db.selectFrom('accounts').select('name').where('id', '=', accountId).executeTakeFirstOrThrow()
  assert.equal(name, 'account')
})
