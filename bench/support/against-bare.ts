import { ratio, type Outcome } from './measurement.ts'
import type { Summary } from './statistics.ts'

interface Comparison {
  work: string
  carrel: Summary
  bare: Summary
  /** What the bare side is, such as `crun run`. */
  name: string
  atMost: number
}

/** How many times as long as the least that it could take. */
export function againstBare({ work, carrel, bare, name, atMost }: Comparison): Outcome {
  return {
    work,
    unit: 'ms',
    carrel,
    against: { name, values: bare },
    result: ratio(carrel, bare),
    goal: { is: 'at most', value: atMost, of: `× ${name}` },
  }
}
