import { limits } from '../../../config/limits.ts'
import type { PaymentRow } from '../../../db/schema.ts'
import type { StripeAccount } from './open-stripe.ts'
import { settleCheckout } from './settle-checkout.ts'
import { settleIntent } from './settle-intent.ts'
import { updatePayment } from './payments.ts'
import type { MoneyContext } from '../money.ts'

/**
 * Asks Stripe about payments that wait: an event that never came costs nobody money. At a start about the newest of
 * them, whenever that was done last; later about each the seldomer the older it is. After 30 days it is given up, and
 * what nobody paid is forgotten.
 */
export async function reconcilePayments(engine: MoneyContext, { atStart }: { atStart: boolean }): Promise<void> {
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
    await askAbout(engine, stripe, row).catch(async (error: unknown) => {
      log.warn({ err: error, payment: row.id }, 'Stripe could not be asked about a payment')
      // The others have their turn before it has another.
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

/** A link that nobody has, and one of play money, end by themselves; what may be paid at Stripe is Stripe's to say. */
async function askAbout(engine: MoneyContext, stripe: StripeAccount | undefined, row: PaymentRow): Promise<void> {
  const { method, session_id: sessionId, intent_id: intentId } = row
  if (method === 'stripe' && intentId !== null) return stripe && settleIntent(engine, stripe, intentId)
  if (method === 'stripe' && sessionId !== null) return stripe && settleCheckout(engine, stripe, sessionId)
  if (Date.now() - Number(row.created_at) > 2 * limits.checkoutMs)
    await updatePayment(engine.db, row, { state: 'expired' })
}
