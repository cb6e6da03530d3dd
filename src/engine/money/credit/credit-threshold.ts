import type { PriceBook } from '../../../config/price-book.ts'

/**
 * Returns how many micro-dollars an account can spend until its next check: until the low balance, and below that until
 * nothing is left. `leftMicros` includes the overdraft.
 */
export function creditUntilThreshold(
  { lowBalanceMicros, overdraftMicros }: Pick<PriceBook, 'lowBalanceMicros' | 'overdraftMicros'>,
  leftMicros: number,
): number {
  const untilLowMicros = leftMicros - (lowBalanceMicros + overdraftMicros)
  return untilLowMicros > 0 ? Math.min(untilLowMicros, leftMicros) : leftMicros
}
