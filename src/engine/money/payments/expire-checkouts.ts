import { once } from 'node:events'
import { inList } from '../../../db/in-list.ts'
import type { PaymentRow } from '../../../db/schema.ts'
import { updatePayment } from './payments.ts'
import type { MoneyContext } from '../money.ts'

/**
 * Expires the payment links of deleted accounts, so that nobody pays for credit that nobody gets. A link that Stripe
 * does not expire is logged and stays open, to be checked later; money that still comes by it is held for review.
 */
export async function expireCheckouts(
  engine: Pick<MoneyContext, 'db' | 'log' | 'server' | 'stripe'>,
  accountIds: readonly string[],
): Promise<void> {
  const { db, log } = engine
  const { stopping } = engine.server
  const rows = await db
    .selectFrom('payments')
    .selectAll()
    .where((eb) => inList(eb, 'account_id', accountIds))
    .where('state', '=', 'open')
    .execute()
  if (rows.length === 0 || stopping.aborted) return
  const expired = rows.map((row) =>
    expire(engine, row).catch((error: unknown) =>
      log.warn({ err: error, payment: row.id }, 'Stripe did not expire the payment link of a deleted account'),
    ),
  )
  // A server that stops does not wait for Stripe; the next server does this again.
  const done = new AbortController()
  await Promise.race([Promise.all(expired), once(stopping, 'abort', { signal: done.signal }).catch(() => {})])
  done.abort()
}

/** Expires a payment, at Stripe too where it has a Checkout session there. */
async function expire({ db, stripe }: Pick<MoneyContext, 'db' | 'stripe'>, row: PaymentRow): Promise<void> {
  if (row.method === 'stripe') {
    if (row.session_id === null || !stripe) return
    await stripe.client.checkout.sessions.expire(row.session_id, {}, { maxNetworkRetries: 0 })
  }
  await updatePayment(db, row, { state: 'expired' })
}
