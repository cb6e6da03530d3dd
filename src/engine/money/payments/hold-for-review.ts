import type { PaymentRow } from '../../../db/schema.ts'
import { transaction } from '../../../db/transaction.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { lockPayment, updatePayment } from './payments.ts'
import type { Context } from '../../context.ts'

interface Reason {
  /** The provider's id of the payment. */
  intentId: string
  /** What was received, and why it is not credited. */
  reason: string
  /** Default: the account of the payment. null for a deleted account, about which nothing is recorded any more. */
  accountId?: string | null
}

/**
 * Holds a payment that cannot be credited automatically for review by the operator, and records that once. A payment
 * that the operator has settled stays as it is.
 */
export async function holdForReview(
  { db, log }: Pick<Context, 'db' | 'log'>,
  { id: paymentId, account_id }: PaymentRow,
  { intentId, reason, accountId = account_id }: Reason,
): Promise<void> {
  const before = await transaction(db, 'durable', async (trx) => {
    const row = await lockPayment(trx, paymentId)
    if (!row || isSettled(row) || row.state === 'review') return row
    await updatePayment(trx, row, { state: 'review', intent_id: intentId, data: { reason } })
    const data = { paymentId, reason }
    await appendEvent(trx, { accountId, type: 'payment.put_aside', actor: row.method, data })
    return row
  })
  if (before && isSettled(before))
    log.warn(
      { payment: paymentId, intent: intentId },
      'an event concerns a payment that the operator has settled: it is ignored',
    )
  else log.error({ payment: paymentId, intent: intentId }, reason)
}

function isSettled({ state }: PaymentRow): boolean {
  return state === 'paid' || state === 'dismissed'
}
