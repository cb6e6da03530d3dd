import type { Kysely, Transaction } from 'kysely'
import type { PriceBook } from '../../../config/price-book.ts'
import { transaction } from '../../../db/transaction.ts'
import type { Database, LedgerTransactionRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { splitAmount, lockBalances } from './balance.ts'
import { clearingOf, creditOf, promotions, writeOff } from './books.ts'
import { postTransactions, type Entry } from './post.ts'
import { microsPerCent } from './top-up.ts'

export interface Refund {
  /** The key of the top-up. */
  paymentKey: string
  /** The key of the fact that money went back: `stripe:re:<id>`. */
  key: string
  /** What went back: whole cents, from 1 to what is left of the payment. */
  amountCents: number
  reason: string
}

interface Paid {
  method: string
  amountCents: number
  bonusMicros: number
}

/**
 * Takes back the credit of a payment, or of a part of it with the same part of its bonus. What the account has spent
 * already is written off: a refund never takes credit below the overdraft. A reversed refund does not count. Throws
 * `not_found` when there is no such payment, and `conflict` when less of it is left.
 */
export function refund(
  db: Kysely<Database>,
  prices: PriceBook,
  { paymentKey, key, amountCents, reason }: Refund,
): Promise<{ isNew: boolean }> {
  return transaction(db, 'durable', async (trx) => {
    const payment = await findPayment(trx, paymentKey)
    const paid = JSON.parse(payment.data) as Paid
    const known = await trx.selectFrom('ledger_transactions').selectAll().where('key', '=', key).executeTakeFirst()
    if (known) {
      if (known.of_transaction === payment.id && centsOf(known) === amountCents) return { isNew: false }
      throw new CarrelError('idempotency_mismatch', `Cannot refund: "${key}" was another amount`)
    }
    const earlier = await refundsOf(trx, payment.id)
    const before = earlier.reduce((sum, row) => sum + centsOf(row), 0)
    if (!(Number.isSafeInteger(amountCents) && amountCents >= 1 && before + amountCents <= paid.amountCents))
      throw new CarrelError(
        'conflict',
        `Cannot refund ${amountCents} cents: ${paid.amountCents - before} of the payment are left`,
        { details: { leftCents: paid.amountCents - before } },
      )
    const bonusMicros = bonusOf(paid, before + amountCents) - bonusOf(paid, before)
    const accountId = payment.account_id
    const balance = (await lockBalances(trx, [accountId])).get(accountId)!
    const whole = amountCents * microsPerCent + bonusMicros
    const { takenMicros, shortMicros } = splitAmount(whole, balance, prices.overdraftMicros)
    const entries: Entry[] = [
      { book: clearingOf(paid.method), amountMicros: amountCents * microsPerCent },
      { book: promotions, amountMicros: bonusMicros },
      { book: creditOf(accountId), amountMicros: -takenMicros },
      { book: writeOff, amountMicros: -shortMicros },
    ]
    const posting = {
      key,
      kind: 'refund' as const,
      accountId,
      entries: entries.filter(({ amountMicros }) => amountMicros !== 0),
      ofTransaction: payment.id,
      data: { amountCents, reason },
    }
    await postTransactions(trx, [posting], prices.overdraftMicros)
    return { isNew: true }
  })
}

async function findPayment(trx: Transaction<Database>, key: string): Promise<LedgerTransactionRow> {
  const row = await trx
    .selectFrom('ledger_transactions')
    .selectAll()
    .where('key', '=', key)
    .where('kind', '=', 'topup')
    .executeTakeFirst()
  if (row) return row
  throw new CarrelError('not_found', `Cannot refund "${key}": no such payment was credited`)
}

/** Returns the refunds of a payment that were not reversed. */
function refundsOf(trx: Transaction<Database>, paymentId: string): Promise<LedgerTransactionRow[]> {
  return trx
    .selectFrom('ledger_transactions as t')
    .selectAll('t')
    .where('t.of_transaction', '=', paymentId)
    .where('t.kind', '=', 'refund')
    .where((eb) =>
      eb.not(
        eb.exists(eb.selectFrom('ledger_transactions as r').select('r.id').whereRef('r.of_transaction', '=', 't.id')),
      ),
    )
    .execute()
}

function centsOf({ data }: LedgerTransactionRow): number {
  return (JSON.parse(data) as { amountCents: number }).amountCents
}

/** Returns the bonus for a part of the payment; fractions of a micro-dollar stay until the last refund. */
function bonusOf({ amountCents, bonusMicros }: Paid, refundedCents: number): number {
  return Number((BigInt(bonusMicros) * BigInt(refundedCents)) / BigInt(amountCents))
}
