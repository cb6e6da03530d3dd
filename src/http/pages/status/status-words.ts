import { totalOf, uptimePercent, type UptimeStatus } from '../../../engine/uptime/check-counts.ts'
import type { Period, ServiceUptime } from '../../../engine/uptime/uptime-summary.ts'

/** What the page calls a state, and the class that gives it its color. */
export const stateWords: Readonly<Record<UptimeStatus, { label: string; tone: 'good' | 'wait' | 'bad' | 'none' }>> = {
  operational: { label: 'Operational', tone: 'good' },
  degraded: { label: 'Degraded', tone: 'wait' },
  down: { label: 'Down', tone: 'bad' },
  unknown: { label: 'No data', tone: 'none' },
}

/** Returns the state of all services in one sentence, and the state that gives it its color. */
export function overallState(services: readonly Pick<ServiceUptime, 'name' | 'status'>[]): {
  sentence: string
  status: UptimeStatus
} {
  const named = (status: UptimeStatus) => services.filter((one) => one.status === status).map(({ name }) => name)
  for (const status of ['down', 'degraded'] as const) {
    const names = named(status)
    if (names.length === 1) return { sentence: `One service is ${status}: ${names[0]}`, status }
    if (names.length === services.length && names.length > 0) return { sentence: `All services are ${status}`, status }
    if (names.length > 1) return { sentence: `${names.length} services are ${status}: ${listed(names)}`, status }
  }
  if (named('operational').length > 0) return { sentence: 'Everything works', status: 'operational' }
  return { sentence: 'The first check is under way', status: 'unknown' }
}

/** Returns two or more names as a list in a sentence: `API, Computers and Previews`. */
function listed(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

/** Returns what happened in a day or an hour, in a few words. */
export function periodText({ status, counts }: Pick<Period, 'status' | 'counts'>): string {
  if (status === 'unknown') return 'no data'
  const percent = uptimePercent(counts)!
  if (counts.down > 0) return `${status === 'down' ? 'down' : 'partly down'}, ${percentText(percent)} uptime`
  const slow = Math.ceil((100 * counts.degraded) / totalOf(counts))
  return status === 'degraded' ? `slow or impaired in ${slow} % of the checks` : 'operational'
}

/** Returns how often each state occurs, such as `87 operational, 1 down, 2 without data`. */
export function countsText(periods: readonly Pick<Period, 'status'>[]): string {
  const words = { operational: 'operational', degraded: 'degraded', down: 'down', unknown: 'without data' } as const
  return Object.entries(words)
    .map(([status, word]) => [periods.filter((period) => period.status === status).length, word] as const)
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`)
    .join(', ')
}

export function percentText(percent: number | undefined): string {
  return percent === undefined ? 'no data yet' : `${percent === 100 ? '100' : percent.toFixed(2)} %`
}

/** Returns a day of UTC, such as `3 May`. */
export function dayText(timeMs: number): string {
  return day.format(timeMs)
}

/** Returns a time of day of UTC, such as `09:00`. */
export function hourText(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(11, 16)
}

const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', timeZone: 'UTC' })
