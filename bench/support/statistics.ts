/** Summary of a series of values, in the unit of the values. */
export interface Summary {
  count: number
  median: number
  /** The maximum if there are fewer than 100 values. */
  p99: number
}

export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b)
  return { count: sorted.length, median: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) }
}

function quantile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) throw new Error('Cannot summarize: nothing was measured')
  if (share === 0.5 && sorted.length % 2 === 0) return (sorted[sorted.length / 2 - 1]! + sorted[sorted.length / 2]!) / 2
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
}
