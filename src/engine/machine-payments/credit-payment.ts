import type { MachinePaymentRow } from '../../db/schema.ts'
import { creditLeft } from '../credit/credit-left.ts'
import type { Engine } from '../engine.ts'
import { appendEvent } from '../events/append-event.ts'
import { microsPerCent, topUp } from '../ledger/top-up.ts'
import { keyOf } from '../payments/credit-intent.ts'
import type { Challenge } from './payment-library.ts'
import { recordPaid } from './payment-records.ts'

export interface PaidTopUp {
  amountCents: number
  creditMicros: number
  /** What the account has now. */
  balanceMicros: number
  /** As it is sent in `Payment-Receipt`. */
  receipt: string
}

export interface Received {
  method: MachinePaymentRow['method']
  reference: string
  challenge: Challenge
  receipt: string
}

/** Credits a payment, once: whom and how much says the challenge, which this server signed. Credit and record are written together. */
export async function creditPayment(engine: Engine, received: Received): Promise<PaidTopUp> {
  const { method, reference, challenge, receipt } = received
  const { account: accountId, cents, bonus } = challenge.meta as Record<'account' | 'cents' | 'bonus', string>
  const amountCents = Number(cents)
  const bonusMicros = Number(bonus)
  const quote = { amountCents, bonusMicros, creditMicros: amountCents * microsPerCent + bonusMicros }
  const key = method === 'stripe' ? keyOf(reference) : `mpp:${challenge.id}`
  const payment = { accountId, key, method, quote }
  const { isNew } = await topUp(engine.db, engine.prices, payment, (trx) => recordPaid(trx, received, receipt))
  const data = { method, reference, cents: amountCents, bonusMicros }
  if (isNew) await appendEvent(engine.db, { accountId, type: 'payment.credited', actor: 'mpp', data })
  return { amountCents, creditMicros: quote.creditMicros, balanceMicros: await creditLeft(engine, accountId), receipt }
}

/** What was answered when it was credited, for who asks again. */
export async function paidBefore(engine: Engine, row: MachinePaymentRow): Promise<PaidTopUp> {
  const amountCents = Number(row.amount_cents)
  return {
    amountCents,
    creditMicros: amountCents * microsPerCent + Number(row.bonus_micros),
    balanceMicros: await creditLeft(engine, row.account_id),
    receipt: row.receipt!,
  }
}
