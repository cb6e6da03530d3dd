import type { PaymentRow } from '../../../db/schema.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { updatePayment } from './payments.ts'
import type { Context } from '../../context.ts'

interface Aside {
  /** What the provider calls it. */
  intentId: string
  /** What came, and why it is not credited. */
  reason: string
  /** Default: the account of the payment. null for one that is deleted: nothing is written down about it any more. */
  accountId?: string | null
}

/**
 * Money that cannot be credited by itself: somebody has to look at it. One that the operator has settled stays as it
 * is.
 */
export async function holdForReview(
  { db, log }: Pick<Context, 'db' | 'log'>,
  row: PaymentRow,
  { intentId, reason, accountId = row.account_id }: Aside,
): Promise<void> {
  if (row.state === 'paid' || row.state === 'dismissed')
    return log.warn(
      { payment: row.id, intent: intentId },
      'an event is of a payment that the operator has settled: nothing follows from it',
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
