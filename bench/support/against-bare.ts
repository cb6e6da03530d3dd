import { ratio, type Outcome } from './measurement.ts'
import type { Summary } from './statistics.ts'

interface Comparison {
  work: string
  carrel: Summary
  bare: Summary
  /** Name of the bare side, such as `crun run`. */
  name: string
  maxRatio: number
}

/** Compares with the bare runtime: how many times the minimum Carrel takes. */
export function againstBare({ work, carrel, bare, name, maxRatio }: Comparison): Outcome {
  return {
    work,
    unit: 'ms',
    carrel,
    against: { name, values: bare },
    result: ratio(carrel, bare),
    goal: { is: 'at most', value: maxRatio, of: `× ${name}` },
  }
}
