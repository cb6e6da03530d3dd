import type { Kysely, Transaction } from 'kysely'
import type { PriceBook } from '../../../config/price-book.ts'
import { durableTransaction } from '../../../db/durable-transaction.ts'
import type { Database } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { balanceOf } from './balance.ts'
import { clearingOf, creditOf, promotions } from './books.ts'
import { postTransactions } from './post.ts'

/** What is bought, as it was asked for: a package, or an amount of one's own. */
export type Purchase = { tier: string; amountCents?: undefined } | { tier?: undefined; amountCents: number }

export interface Quote {
  /** To be paid, in US cents. */
  amountCents: number
  /** To be credited, the bonus included. */
  creditMicros: number
  bonusMicros: number
}

export interface Payment {
  accountId: string
  /** The fact that money came in: `mpp:<challenge>`, `stripe:pi:<id>`. */
  key: string
  /** The way it came: `stripe`, `tempo`, … */
  method: string
  quote: Quote
}

/**
 * What a purchase costs and gives. Rejects with `invalid_request` a package that does not exist, and an amount that is
 * not whole cents from the minimum to the maximum.
 */
export function quoteFor(
  prices: PriceBook,
  purchase: Purchase,
  minimumCents: number = prices.minimumTopUpCents,
): Quote {
  const tier = purchase.tier === undefined ? undefined : tierOf(prices, purchase.tier)
  const amountCents = tier?.cents ?? checkCents(purchase.amountCents, minimumCents, prices.maximumTopUpCents)
  // Cents times percent is whole: a hundredth of a cent is 100 micro-dollars.
  const bonusMicros = amountCents * (tier?.bonusPercent ?? 0) * 100
  return { amountCents, bonusMicros, creditMicros: amountCents * microsPerCent + bonusMicros }
}

/**
 * Credits what was paid, once however often the payment is told of. What `alongside` writes is in the same transaction:
 * on the disk with the credit, or not at all.
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
  const { posted } = await durableTransaction(db, async (trx) => {
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

function checkCents(cents: number | undefined, least: number, most: number): number {
  if (typeof cents === 'number' && Number.isSafeInteger(cents) && cents >= least && cents <= most) return cents
  throw new CarrelError(
    'invalid_request',
    `Cannot top up by ${String(cents)} cents: it has to be a whole number from ${least} to ${most}`,
    { details: { field: 'amountCents', minimum: least, maximum: most } },
  )
}

export const microsPerCent = 10_000
