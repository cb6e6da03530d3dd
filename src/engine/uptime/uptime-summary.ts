import { addCounts, noChecks, statusOver, uptimePercent, type CheckCounts, type UptimeStatus } from './check-counts.ts'
import { limits } from '../../config/limits.ts'
import { dayMs, firstDayOf, hourMs, type PeriodFound } from './uptime-hours.ts'

/** An hour or a day of a service. */
export interface Period {
  startsAt: number
  status: UptimeStatus
  counts: CheckCounts
}

export interface ServiceUptime {
  /** Short and stable, such as `api`. */
  slug: string
  /** What people call the service. */
  name: string
  status: UptimeStatus
  /** How long the last check took, in milliseconds; the mean of several nodes, and 0 if the status is unknown. */
  responseMs: number
  /** Over all days; undefined without any check. */
  percent: number | undefined
  /** The last 90 days of UTC, the oldest first; the last one is today. */
  days: Period[]
  /** The last 24 hours, the oldest first; the last one is the hour under way. */
  hours: Period[]
}

/** How the services of all nodes work and have worked. */
export interface UptimeSummary {
  checkedAtMs: number
  services: ServiceUptime[]
}

export type ServiceNow = Pick<ServiceUptime, 'slug' | 'name' | 'status' | 'responseMs'>

/** What is known of earlier hours. Several entries of one service and time are added up. */
export interface UptimeHistory {
  /** Sums of days, without the hours in `hours`. */
  days: readonly PeriodFound[]
  hours: readonly PeriodFound[]
}

/** Returns the beginning of the first of the 24 hours that a summary shows one by one. */
export function firstHourOf(nowMs: number): number {
  return Math.floor(nowMs / hourMs) * hourMs - (hoursShown - 1) * hourMs
}

export function summaryOf(nowMs: number, services: readonly ServiceNow[], history: UptimeHistory): UptimeSummary {
  const days = sumsBy([...history.days, ...history.hours], dayMs)
  const hours = sumsBy(history.hours, hourMs)
  return {
    checkedAtMs: nowMs,
    services: services.map((service) => {
      const ownDays = periods(service.slug, days, {
        fromMs: firstDayOf(nowMs),
        everyMs: dayMs,
        count: limits.uptimeDays,
      })
      const ownHours = periods(service.slug, hours, { fromMs: firstHourOf(nowMs), everyMs: hourMs, count: hoursShown })
      const percent = uptimePercent(ownDays.reduce((sum, { counts }) => addCounts(sum, counts), noChecks))
      return { ...service, percent, days: ownDays, hours: ownHours }
    }),
  }
}

function sumsBy(found: readonly PeriodFound[], everyMs: number): Map<string, CheckCounts> {
  const sums = new Map<string, CheckCounts>()
  for (const { slug, startsAt, ...counts } of found) {
    const key = keyOf(slug, Math.floor(startsAt / everyMs) * everyMs)
    sums.set(key, addCounts(sums.get(key) ?? noChecks, counts))
  }
  return sums
}

function periods(
  slug: string,
  sums: ReadonlyMap<string, CheckCounts>,
  { fromMs, everyMs, count }: { fromMs: number; everyMs: number; count: number },
): Period[] {
  return Array.from({ length: count }, (_, index) => {
    const startsAt = fromMs + index * everyMs
    const counts = sums.get(keyOf(slug, startsAt)) ?? noChecks
    return { startsAt, status: statusOver(counts), counts }
  })
}

function keyOf(slug: string, startsAt: number): string {
  return `${startsAt} ${slug}`
}

const hoursShown = 24
