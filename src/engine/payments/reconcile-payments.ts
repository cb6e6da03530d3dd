import { limits } from '../../config/limits.ts'
import type { PaymentRow } from '../../db/schema.ts'
import type { Engine } from '../engine.ts'
import type { StripeAccount } from './open-stripe.ts'
import { settleCheckout } from './settle-checkout.ts'
import { settleIntent } from './settle-intent.ts'
import { updatePayment } from './payments.ts'

/**
 * Asks Stripe about payments that wait: an event that never came costs nobody money. At a start about all of them, later
 * about each the seldomer the older it is. What nobody paid is forgotten after 30 days.
 */
export async function reconcilePayments(engine: Engine, { atStart }: { atStart: boolean }): Promise<void> {
  const { db, stripe, stopping, log } = engine
  const now = Date.now()
  const rows = await db
    .selectFrom('payments')
    .selectAll()
    .where('state', 'in', ['open', 'processing'])
    .orderBy('updated_at')
    .execute()
  const due = rows.filter((row) => atStart || isDue(row, now)).slice(0, limits.paymentsAsked)
  for (const row of due) {
    if (stopping.aborted) return
    await askAbout(engine, stripe, row).catch((error: unknown) =>
      log.warn({ err: error, payment: row.id }, 'Stripe could not be asked about a payment'),
    )
  }
  await db
    .deleteFrom('payments')
    .where('state', 'in', ['expired', 'failed'])
    .where('updated_at', '<', now - limits.unpaidPaymentMs)
    .execute()
}

function isDue({ created_at, updated_at }: PaymentRow, now: number): boolean {
  const age = (Number(updated_at) - Number(created_at)) / 2
  const waitMs = Math.min(Math.max(age, limits.paymentAskedMs), limits.paymentAskedAtLeastMs)
  return now - Number(updated_at) >= waitMs
}

/** What has no end of its own ends when its link would have. */
async function askAbout(engine: Engine, stripe: StripeAccount | undefined, row: PaymentRow): Promise<void> {
  const isOver = Date.now() - Number(row.created_at) > 2 * limits.checkoutMs
  if (row.method === 'stripe' && stripe && row.intent_id !== null) return settleIntent(engine, stripe, row.intent_id)
  if (row.method === 'stripe' && stripe && row.session_id !== null)
    return settleCheckout(engine, stripe, row.session_id)
  if (isOver) await updatePayment(engine.db, row, { state: 'expired' })
}
