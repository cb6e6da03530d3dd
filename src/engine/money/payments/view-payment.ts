import type { PaymentState } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { microsPerCent } from '../ledger/top-up.ts'
import { dataOf, findPayment } from './payments.ts'
import { settleCheckout } from './settle-checkout.ts'
import type { MoneyContext } from '../money.ts'

export interface PaymentView {
  id: string
  method: string
  state: PaymentState
  /** What was paid; of one that is not paid, what was asked for. */
  cents: number
  /** What it gives, the bonus included. */
  creditMicros: number
}

/**
 * A payment by its id, which nobody can guess. One that waits is asked about at Stripe, so that who paid sees it
 * without waiting for the event. `not_found` when there is none.
 */
export async function viewPayment(engine: MoneyContext, id: string): Promise<PaymentView> {
  const { db, stripe, log } = engine
  const row = await findPayment(db, 'id', id)
  if (!row) throw new CarrelError('not_found', 'Cannot show the payment: there is no such one')
  const isWaiting = row.state === 'open' || row.state === 'processing'
  if (isWaiting && stripe && row.session_id !== null && Date.now() - Number(row.updated_at) >= askedEveryMs)
    await settleCheckout(engine, stripe, row.session_id).catch((error: unknown) =>
      log.warn({ err: error, payment: id }, 'Stripe could not be asked about a payment'),
    )
  const now = (await findPayment(db, 'id', id)) ?? row
  const { bonusMicros = 0, paidCents: cents = Number(now.cents) } = dataOf(now)
  return { id, method: now.method, state: now.state, cents, creditMicros: cents * microsPerCent + bonusMicros }
}

/** A page that is loaded again and again asks Stripe no oftener. */
const askedEveryMs = 1000
