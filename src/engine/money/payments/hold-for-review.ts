import type { PaymentRow } from '../../../db/schema.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { updatePayment } from './payments.ts'
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
 * Holds a payment that cannot be credited automatically for review by the operator. A payment that the operator has
 * settled stays as it is.
 */
export async function holdForReview(
  { db, log }: Pick<Context, 'db' | 'log'>,
  row: PaymentRow,
  { intentId, reason, accountId = row.account_id }: Reason,
): Promise<void> {
  if (row.state === 'paid' || row.state === 'dismissed')
    return log.warn(
      { payment: row.id, intent: intentId },
      'an event concerns a payment that the operator has settled: it is ignored',
    )
  log.error({ payment: row.id, intent: intentId }, reason)
  if (row.state === 'review') return
  await updatePayment(db, row, { state: 'review', intent_id: intentId, data: { reason } })
  await appendEvent(db, {
    accountId,
    type: 'payment.put_aside',
    actor: row.method,
    data: { paymentId: row.id, reason },
  })
}
