import type { Outcome } from './measurement.ts'
import type { Summary } from './statistics.ts'

interface Comparison {
  work: string
  carrel: Summary
  /** undefined where there is no engine. */
  docker: Summary | undefined
  name: string
  atLeast: number
}

/** How many times faster than Docker, or that there is none here. */
export function againstDocker({ work, carrel, docker, name, atLeast }: Comparison): Outcome {
  if (!docker) return { work: `${work}, against ${name}`, why: 'no Docker engine answers on this host' }
  return {
    work,
    unit: 'ms',
    carrel,
    against: { name, values: docker },
    result: docker.median / carrel.median,
    goal: { is: 'at least', value: atLeast, of: `× faster than ${name}` },
  }
}
