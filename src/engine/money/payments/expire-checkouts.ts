import { once } from 'node:events'
import type { PaymentRow } from '../../../db/schema.ts'
import { updatePayment } from './payments.ts'
import type { MoneyContext } from '../money.ts'

/**
 * Ends the links of accounts that go, so that nobody pays for what nobody gets. What Stripe does not end is told in the log and stays
 * open, to be asked about; the money of one that is paid all the same is put aside.
 */
export async function expireCheckouts(
  engine: Pick<MoneyContext, 'db' | 'log' | 'server' | 'stripe'>,
  accountIds: string[],
): Promise<void> {
  const { db, log } = engine
  const { stopping } = engine.server
  const rows = await db
    .selectFrom('payments')
    .selectAll()
    .where('account_id', 'in', accountIds)
    .where('state', '=', 'open')
    .execute()
  if (rows.length === 0 || stopping.aborted) return
  const expired = rows.map((row) =>
    expire(engine, row).catch((error: unknown) =>
      log.warn({ err: error, payment: row.id }, 'Stripe did not end the link of an account that is deleted'),
    ),
  )
  // The end of the server does not wait for Stripe; the next one does this again.
  const heard = new AbortController()
  await Promise.race([Promise.all(expired), once(stopping, 'abort', { signal: heard.signal }).catch(() => {})])
  heard.abort()
}

/** A payment of play money, and one whose page was never known, is only ours to end. */
async function expire({ db, stripe }: Pick<MoneyContext, 'db' | 'stripe'>, row: PaymentRow): Promise<void> {
  if (row.method === 'stripe') {
    if (row.session_id === null || !stripe) return
    await stripe.client.checkout.sessions.expire(row.session_id, {}, { maxNetworkRetries: 0 })
  }
  await updatePayment(db, row, { state: 'expired' })
}
