import type { MachinePaymentRow } from '../../../db/schema.ts'
import { asCarrelError } from '../../../errors.ts'
import { creditLeft } from '../credit/credit-left.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { microsPerCent, topUp } from '../ledger/top-up.ts'
import { assertAccountExists } from '../payments/assert-account-exists.ts'
import { keyOf } from '../payments/credit-intent.ts'
import { findOrInsertPayment } from '../payments/payments.ts'
import { holdForReview } from '../payments/hold-for-review.ts'
import type { Challenge } from './payment-library.ts'
import { recordFailed, recordPaid } from './payment-records.ts'
import type { CreditContext, PostingContext } from '../money.ts'
import type { Context } from '../../context.ts'

export interface PaidTopUp {
  amountCents: number
  creditMicros: number
  /** The account's new balance. */
  balanceMicros: number
  /** The value of the `Payment-Receipt` header. */
  receipt: string
}

export interface Received {
  method: MachinePaymentRow['method']
  reference: string
  challenge: Challenge
  receipt: string
}

/**
 * Credits a payment, once. The challenge, which this server signed, says which account and how much. Credit and record
 * are written together. Throws `not_found` when the account is deleted; the payment is held for review then.
 */
export async function creditPayment(engine: PostingContext, received: Received): Promise<PaidTopUp> {
  const { method, reference, challenge, receipt } = received
  const { account: accountId, cents, bonus } = challenge.meta as Record<'account' | 'cents' | 'bonus', string>
  const amountCents = Number(cents)
  const bonusMicros = Number(bonus)
  const quote = { amountCents, bonusMicros, creditMicros: amountCents * microsPerCent + bonusMicros }
  const key = method === 'stripe' ? keyOf(reference) : `mpp:${challenge.id}`
  const payment = { accountId, key, method, quote }
  const { isNew } = await topUp(engine.db, engine.prices, payment, async (trx) => {
    await assertAccountExists(trx, payment)
    await recordPaid(trx, received, receipt)
  }).catch(async (error: unknown) => {
    if (asCarrelError(error).code === 'not_found')
      await holdMoneyOfDeleted(engine, received, { accountId, amountCents })
    throw error
  })
  const data = { method, reference, cents: amountCents, bonusMicros }
  if (isNew) await appendEvent(engine.db, { accountId, type: 'payment.credited', actor: 'mpp', data })
  return { amountCents, creditMicros: quote.creditMicros, balanceMicros: await creditLeft(engine, accountId), receipt }
}

/** Holds the money of a deleted account for review by the operator. */
async function holdMoneyOfDeleted(
  engine: Pick<Context, 'db' | 'log' | 'locks'>,
  { method, reference: intentId, challenge }: Received,
  { accountId, amountCents: cents }: { accountId: string; amountCents: number },
): Promise<void> {
  await engine.locks.intent(intentId, async () => {
    const row = await findOrInsertPayment(engine.db, { accountId, method, cents, intentId })
    const reason = `${cents} cents were received by ${method} for a deleted account`
    await holdForReview(engine, row, { intentId, reason, accountId: null })
    await recordFailed(engine.db, challenge.id)
  })
}

/** Returns the result of a payment that was credited before. */
export async function earlierResult(engine: CreditContext, row: MachinePaymentRow): Promise<PaidTopUp> {
  const amountCents = Number(row.amount_cents)
  return {
    amountCents,
    creditMicros: amountCents * microsPerCent + Number(row.bonus_micros),
    balanceMicros: await creditLeft(engine, row.account_id),
    receipt: row.receipt!,
  }
}
