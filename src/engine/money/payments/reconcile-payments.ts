import { limits } from '../../../config/limits.ts'
import type { PaymentRow } from '../../../db/schema.ts'
import type { StripeAccount } from './open-stripe.ts'
import { settleCheckout } from './settle-checkout.ts'
import { settleIntent } from './settle-intent.ts'
import { updatePayment } from './payments.ts'
import type { MoneyContext, PostingContext } from '../money.ts'

/**
 * Asks Stripe about pending payments, so that no money is lost with an event that never arrives. At a start asks about
 * the newest ones at once; later about each one at intervals that grow with its age. After 30 days pending payments are
 * given up and unpaid ones are deleted.
 */
export async function reconcilePayments(
  engine: PostingContext & Pick<MoneyContext, 'stripe'>,
  { atStart }: { atStart: boolean },
): Promise<void> {
  const { db, stripe, server, log } = engine
  const now = Date.now()
  const rows = await db
    .selectFrom('payments')
    .selectAll()
    .where('state', 'in', ['open', 'processing'])
    .orderBy(atStart ? 'created_at' : 'updated_at', atStart ? 'desc' : 'asc')
    .execute()
  const due = rows.filter((row) => atStart || isDue(row, now)).slice(0, limits.paymentsPolledAtOnce)
  for (const row of due) {
    if (server.stopping.aborted) return
    await checkPayment(engine, stripe, row).catch(async (error: unknown) => {
      log.warn({ err: error, payment: row.id }, 'cannot ask Stripe about a payment')
      // Other payments are checked before this one is checked again.
      await updatePayment(db, row, now - Number(row.created_at) < limits.unpaidPaymentMs ? {} : { state: 'expired' })
    })
  }
  await db
    .deleteFrom('payments')
    .where('state', 'in', ['expired', 'failed'])
    .where('updated_at', '<', now - limits.unpaidPaymentMs)
    .execute()
}

function isDue({ created_at, updated_at }: PaymentRow, now: number): boolean {
  const age = (Number(updated_at) - Number(created_at)) / 2
  const waitMs = Math.min(Math.max(age, limits.paymentPollMinMs), limits.paymentPollMaxMs)
  return now - Number(updated_at) >= waitMs
}

/**
 * Asks Stripe about a payment that can be paid there. Expires others by their age: those without a link, and play
 * money.
 */
async function checkPayment(engine: PostingContext, stripe: StripeAccount | undefined, row: PaymentRow): Promise<void> {
  const { method, session_id: sessionId, intent_id: intentId } = row
  if (method === 'stripe' && intentId !== null) return stripe && settleIntent(engine, stripe, intentId)
  if (method === 'stripe' && sessionId !== null) return stripe && settleCheckout(engine, stripe, sessionId)
  if (Date.now() - Number(row.created_at) > 2 * limits.checkoutMs)
    await updatePayment(engine.db, row, { state: 'expired' })
}
