import type { Outcome } from './measurement.ts'
import type { Summary } from './statistics.ts'

interface Comparison {
  work: string
  carrel: Summary
  /** undefined if there is no engine. */
  docker: Summary | undefined
  name: string
  minRatio: number
}

/** Compares with Docker: how many times faster Carrel is. Reports the case as skipped without an engine. */
export function againstDocker({ work, carrel, docker, name, minRatio }: Comparison): Outcome {
  if (!docker) return { work: `${work}, against ${name}`, why: 'no Docker engine answers on this host' }
  return {
    work,
    unit: 'ms',
    carrel,
    against: { name, values: docker },
    result: docker.median / carrel.median,
    goal: { is: 'at least', value: minRatio, of: `× faster than ${name}` },
  }
}
