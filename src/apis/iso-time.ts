/** Returns a time in UTC by ISO 8601, as every surface writes it. */
export function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString()
}

export function isoTimeOrNull(timeMs: number | null): string | null {
  return timeMs === null ? null : isoTime(timeMs)
}
