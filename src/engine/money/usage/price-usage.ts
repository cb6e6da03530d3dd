import type { Price } from '../../../config/price-book.ts'

/** The part of a micro-dollar that is not charged yet: `remainder` of `per`. */
export interface Remainder {
  remainder: number
  per: number
}

/**
 * Returns what a quantity costs in whole micro-dollars, and the remainder to carry over to the next quantity, so that
 * many small quantities cost as much as one large one, and never more.
 */
export function priceUsage(
  quantity: number,
  { micros, per }: Price,
  before: Remainder | undefined,
): { amountMicros: number } & Remainder {
  // When the unit has changed, the remainder of less than a micro-dollar is dropped.
  const carried = before?.per === per ? before.remainder : 0
  const due = BigInt(quantity) * BigInt(micros) + BigInt(carried)
  return { amountMicros: Number(due / BigInt(per)), remainder: Number(due % BigInt(per)), per }
}
