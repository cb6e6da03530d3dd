import type { PriceBook } from '../../../config/price-book.ts'

/**
 * How many micro-dollars an account can spend until it has to be looked at: until it is to be warned, and once it is,
 * until nothing is left. `leftMicros` is with the overdraft.
 */
export function creditUntilThreshold(
  { lowBalanceMicros, overdraftMicros }: Pick<PriceBook, 'lowBalanceMicros' | 'overdraftMicros'>,
  leftMicros: number,
): number {
  const untilLowMicros = leftMicros - (lowBalanceMicros + overdraftMicros)
  return untilLowMicros > 0 ? Math.min(untilLowMicros, leftMicros) : leftMicros
}
