import { limits } from '../../src/config/limits.ts'

/** Limits that differ from the server's own. */
export type OtherLimits = Partial<Record<keyof typeof limits, number>>

/** Changes limits for this process, so that a test of what happens after a long wait is short. */
export function setLimits(others: OtherLimits): void {
  Object.assign(limits, others)
}
