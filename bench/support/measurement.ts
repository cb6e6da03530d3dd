import type { Summary } from './statistics.ts'

/** One line of the table. */
export interface Measurement {
  /** What was done. */
  work: string
  unit: 'ms' | 'KiB' | 'MiB' | 'MiB/s' | 'MB/s' | '1/s'
  carrel: Summary
  /** What it is measured against, in the same run. */
  against?: { name: string; values: Summary }
  /** What is held against the goal: a ratio to `against`, or Carrel's own value where the goal is an absolute one. */
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

export function isMet({ result, goal }: Measurement): boolean {
  return goal.is === 'at most' ? result <= goal.value : result >= goal.value
}

/** Compares medians: how many times as long, or as much, as the other side. */
export function ratio(carrel: Summary, against: Summary): number {
  return carrel.median / against.median
}
