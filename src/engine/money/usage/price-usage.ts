import type { Price } from '../../../config/price-book.ts'

/** The part of a micro-dollar that was not charged yet: `remainder` of `per`. */
export interface Remainder {
  remainder: number
  per: number
}

/**
 * What a quantity costs in whole micro-dollars, and what is left over for the next one. So that many small pieces cost
 * as much as one large one, and never more.
 */
export function priceUsage(
  quantity: number,
  { micros, per }: Price,
  before: Remainder | undefined,
): { amountMicros: number } & Remainder {
  // After a change of the unit, less than a micro-dollar is let go.
  const carried = before?.per === per ? before.remainder : 0
  const due = BigInt(quantity) * BigInt(micros) + BigInt(carried)
  return { amountMicros: Number(due / BigInt(per)), remainder: Number(due % BigInt(per)), per }
}
