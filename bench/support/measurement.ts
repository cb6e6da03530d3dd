import type { Summary } from './statistics.ts'

/** One line of the table. */
export interface Measurement {
  /** The work that was measured. */
  work: string
  unit: 'ms' | 'KiB' | 'MiB' | 'MiB/s' | 'MB/s' | '1/s'
  carrel: Summary
  /** The other side of the comparison, measured in the same run. */
  against?: { name: string; values: Summary }
  /** The value that the goal applies to: a ratio to `against`, or Carrel's own value for an absolute goal. */
  result: number
  goal: { is: 'at most' | 'at least'; value: number; of: string }
  note?: string
}

/** A case that this host cannot run. */
export interface Skipped {
  work: string
  why: string
}

export type Outcome = Measurement | Skipped

/** Returns whether a measurement meets its goal. */
export function isMet({ result, goal }: Measurement): boolean {
  return goal.is === 'at most' ? result <= goal.value : result >= goal.value
}

/** Returns the ratio of the medians: how many times as long, or as much, as the other side. */
export function ratio(carrel: Summary, against: Summary): number {
  return carrel.median / against.median
}
