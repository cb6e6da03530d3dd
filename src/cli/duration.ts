import { UsageError } from './usage-error.ts'

/** Returns the seconds of a duration such as `12h`, `30d` or `1y`. Throws a `UsageError` that says what it is for. */
export function parseDuration(text: string | undefined, what: string): number | undefined {
  if (text === undefined) return undefined
  const [, count, unit] = /^([1-9]\d{0,5})([smhdwy])$/.exec(text) ?? []
  if (count === undefined || unit === undefined)
    throw new UsageError(`Cannot use "${text}" as ${what}: write it as 12h, 30d or 1y`)
  return Number(count) * unitSeconds[unit]!
}

/** Returns a duration such as `16 s`, `4.5 min` or `1.25 h`. */
export function shortDuration(seconds: number): string {
  if (seconds < 59.5) return `${Math.round(seconds)} s`
  return seconds < 3570 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(2)} h`
}

const unitSeconds: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 365 * 86_400 }
