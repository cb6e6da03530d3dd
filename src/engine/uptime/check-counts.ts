/** The state of a service, now or over a time; `unknown` where nothing checked it. */
export type UptimeStatus = 'operational' | 'degraded' | 'down' | 'unknown'

/** How many checks found a service in each state. Checks that found out nothing are not counted. */
export interface CheckCounts {
  operational: number
  degraded: number
  down: number
}

export const noChecks: CheckCounts = { operational: 0, degraded: 0, down: 0 }

export function addCounts(one: CheckCounts, other: CheckCounts): CheckCounts {
  return {
    operational: one.operational + other.operational,
    degraded: one.degraded + other.degraded,
    down: one.down + other.down,
  }
}

export function totalOf({ operational, degraded, down }: CheckCounts): number {
  return operational + degraded + down
}

/**
 * Returns the state that stands for an hour or a day:
 * - `unknown` when nothing was checked, as no server ran;
 * - `down` when a tenth of the checks or more found the service down: 6 minutes of an hour, 2.4 hours of a day;
 * - `degraded` when any check found it down, or a tenth or more found it degraded;
 * - `operational` otherwise.
 *
 * Only the time that was checked decides: a day in which the server ran for an hour has the state of that hour.
 */
export function statusOver(counts: CheckCounts): UptimeStatus {
  const total = totalOf(counts)
  if (total === 0) return 'unknown'
  if (counts.down * 10 >= total) return 'down'
  return counts.down > 0 || counts.degraded * 10 >= total ? 'degraded' : 'operational'
}

/**
 * Returns the share of checks that did not find the service down, in percent with two digits; undefined without checks.
 * Rounded down, so that 100 means that no check found it down.
 */
export function uptimePercent(counts: CheckCounts): number | undefined {
  const total = totalOf(counts)
  return total === 0 ? undefined : Math.floor(((total - counts.down) * 10_000) / total) / 100
}

/**
 * Returns the state of a service that several nodes offer: that of all nodes where they agree, otherwise `degraded`.
 * Nodes that do not know count for nothing.
 */
export function statusOfAll(statuses: readonly UptimeStatus[]): UptimeStatus {
  const known = new Set(statuses.filter((status) => status !== 'unknown'))
  if (known.size > 1) return 'degraded'
  return [...known][0] ?? 'unknown'
}
