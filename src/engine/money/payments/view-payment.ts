import type { PaymentState } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { microsPerCent } from '../ledger/top-up.ts'
import { dataOf, findPayment } from './payments.ts'
import { settleCheckout } from './settle-checkout.ts'
import type { MoneyContext, PostingContext } from '../money.ts'

export interface PaymentView {
  id: string
  method: string
  state: PaymentState
  /** What was paid; until it is paid, what was requested. */
  cents: number
  /** The credit, with the bonus. */
  creditMicros: number
}

/**
 * Returns a payment by its id, which nobody can guess. Asks Stripe about a pending payment, so that a payer sees the
 * result without waiting for the event. Throws `not_found` when there is none.
 */
export async function viewPayment(
  engine: PostingContext & Pick<MoneyContext, 'stripe'>,
  id: string,
): Promise<PaymentView> {
  const { db, stripe, log } = engine
  const row = await findPayment(db, 'id', id)
  if (!row) throw new CarrelError('not_found', 'Cannot show the payment: there is no such payment')
  const isWaiting = row.state === 'open' || row.state === 'processing'
  if (isWaiting && stripe && row.session_id !== null && Date.now() - Number(row.updated_at) >= pollEveryMs)
    await settleCheckout(engine, stripe, row.session_id).catch((error: unknown) =>
      log.warn({ err: error, payment: id }, 'cannot ask Stripe about a payment'),
    )
  const now = (await findPayment(db, 'id', id)) ?? row
  const { bonusMicros = 0, paidCents: cents = Number(now.cents) } = dataOf(now)
  return { id, method: now.method, state: now.state, cents, creditMicros: cents * microsPerCent + bonusMicros }
}

/** A page that is reloaded again and again asks Stripe no more often. */
const pollEveryMs = 1000
