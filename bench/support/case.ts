import type { Outcome } from './measurement.ts'

export interface BenchOptions {
  /** Runs a tenth of the rounds, to check that everything works. */
  quick: boolean
  /** Number of computers in the cases with many of them. */
  computers: number
}

/** One benchmark. It cleans up after itself. */
export interface BenchCase {
  name: string
  about: string
  run: (options: BenchOptions) => Promise<Outcome[]>
}
