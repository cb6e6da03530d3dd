import type { Kysely, Transaction } from 'kysely'
import type { PriceBook } from '../../../config/price-book.ts'
import { transaction } from '../../../db/transaction.ts'
import type { Database } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { balanceOf } from './balance.ts'
import { clearingOf, creditOf, promotions } from './books.ts'
import { postTransactions } from './post.ts'

/** What is bought: a package, or an amount. */
export type Purchase = { tier: string; amountCents?: undefined } | { tier?: undefined; amountCents: number }

export interface Quote {
  /** The price in US cents. */
  amountCents: number
  /** The credit, with the bonus. */
  creditMicros: number
  bonusMicros: number
}

export interface Payment {
  accountId: string
  /** The key of the fact that money came in: `mpp:<challenge>`, `stripe:pi:<id>`. */
  key: string
  /** The payment method: `stripe`, `tempo`, … */
  method: string
  quote: Quote
}

/**
 * Returns what a purchase costs and gives. Throws `invalid_request` for a package that does not exist, and for an
 * amount that is not whole cents between the minimum and the maximum.
 */
export function quoteFor(
  prices: PriceBook,
  purchase: Purchase,
  minimumCents: number = prices.minimumTopUpCents,
): Quote {
  const tier = purchase.tier === undefined ? undefined : tierOf(prices, purchase.tier)
  const amountCents = tier?.cents ?? checkCents(purchase.amountCents, minimumCents, prices.maximumTopUpCents)
  // Cents times percent are hundredths of a cent, and each of those is 100 micro-dollars.
  const bonusMicros = amountCents * (tier?.bonusPercent ?? 0) * 100
  return { amountCents, bonusMicros, creditMicros: amountCents * microsPerCent + bonusMicros }
}

/**
 * Credits a payment, once however often it is reported. What `alongside` writes is in the same transaction: on the disk
 * with the credit, or not at all.
 */
export async function topUp(
  db: Kysely<Database>,
  prices: PriceBook,
  { accountId, key, method, quote }: Payment,
  alongside: (trx: Transaction<Database>) => Promise<void> = async () => {},
): Promise<{ isNew: boolean; balanceMicros: number }> {
  const { amountCents, bonusMicros, creditMicros } = quote
  const posting = {
    key,
    kind: 'topup' as const,
    accountId,
    entries: [
      { book: clearingOf(method), amountMicros: -amountCents * microsPerCent },
      ...(bonusMicros > 0 ? [{ book: promotions, amountMicros: -bonusMicros }] : []),
      { book: creditOf(accountId), amountMicros: creditMicros },
    ],
    data: { method, amountCents, bonusMicros },
  }
  const { posted } = await transaction(db, 'durable', async (trx) => {
    await alongside(trx)
    return postTransactions(trx, [posting], prices.overdraftMicros)
  })
  return { isNew: posted[0]!.isNew, balanceMicros: await balanceOf(db, accountId) }
}

function tierOf({ tiers }: PriceBook, name: string) {
  if (Object.hasOwn(tiers, name)) return tiers[name]!
  const known = Object.keys(tiers)
  throw new CarrelError(
    'invalid_request',
    `Cannot top up by ${JSON.stringify(name)}: the tiers are ${known.join(', ')}`,
    { details: { field: 'tier', tiers: known } },
  )
}

function checkCents(cents: number | undefined, min: number, max: number): number {
  if (typeof cents === 'number' && Number.isSafeInteger(cents) && cents >= min && cents <= max) return cents
  throw new CarrelError(
    'invalid_request',
    `Cannot top up by ${String(cents)} cents: it has to be a whole number from ${min} to ${max}`,
    { details: { field: 'amountCents', minimum: min, maximum: max } },
  )
}

export const microsPerCent = 10_000
