import type { PaymentRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { creditLeft } from '../credit/credit-left.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { microsPerCent, topUp } from '../ledger/top-up.ts'
import { assertAccountExists } from './assert-account-exists.ts'
import { dataOf, findPayment, updatePayment } from './payments.ts'
import type { CreditContext } from '../money.ts'

/**
 * Credits a payment of play money, once however often it is clicked. Throws `not_found` when there is no such payment,
 * or its account is deleted.
 */
export async function payWithPlayMoney(engine: CreditContext, paymentId: string): Promise<void> {
  const { db, prices, settings } = engine
  const row = settings.playMoney ? await findPayment(db, 'id', paymentId) : undefined
  if (row?.method !== 'play_money')
    throw new CarrelError('not_found', `Cannot pay "${paymentId}": there is no such payment`)
  const key = `play:${row.id}`
  const payment = { accountId: row.account_id, key, method: row.method, quote: quoteOf(row) }
  const { isNew } = await topUp(db, prices, payment, (trx) => assertAccountExists(trx, payment))
  await updatePayment(db, row, { state: 'paid', key })
  if (!isNew) return
  const data = { paymentId: row.id, method: row.method, cents: Number(row.cents) }
  await appendEvent(db, { accountId: row.account_id, type: 'payment.credited', actor: 'server', data })
  await creditLeft(engine, row.account_id)
}

function quoteOf(row: PaymentRow) {
  const amountCents = Number(row.cents)
  const { bonusMicros = 0 } = dataOf(row)
  return { amountCents, bonusMicros, creditMicros: amountCents * microsPerCent + bonusMicros }
}
