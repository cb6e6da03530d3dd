import { Type } from 'typebox'
import { limits } from '../config/limits.ts'

/**
 * Returns the schema of a time limit in milliseconds, which means the same in every request: 0 is no limit, and a
 * fraction counts as the next whole number. `until` says what happens at the limit.
 */
export function timeLimit(until: string, defaultMs?: number) {
  return Type.Number({
    description: `Milliseconds until ${until}; 0 means no limit, and a fraction is rounded up`,
    minimum: 0,
    maximum: limits.processTimeoutMs,
    ...(defaultMs === undefined ? {} : { default: defaultMs }),
  })
}

/** Returns a time limit as whole milliseconds; undefined means no limit. */
export function timeLimitMs(given: number): number | undefined {
  return Math.ceil(given) || undefined
}
