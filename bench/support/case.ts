import type { Outcome } from './measurement.ts'

export interface BenchOptions {
  /** A tenth of the rounds: to see that everything works. */
  quick: boolean
  /** Computers of the cases that are about many. */
  computers: number
}

/** One thing that is measured. It cleans up after itself. */
export interface BenchCase {
  name: string
  about: string
  run: (options: BenchOptions) => Promise<Outcome[]>
}
