import type { Logger } from 'pino'
import { limits } from '../../../config/limits.ts'

const warnedAtMs = new WeakMap<Logger, Map<string, number>>()

/** Logs, at a limited rate, that the daily limit of a kind of mail is reached: only the operator can raise it. */
export function warnMailLimit(log: Logger, what: string, setting: string): void {
  const warned = warnedAtMs.get(log) ?? new Map<string, number>()
  warnedAtMs.set(log, warned)
  const now = Date.now()
  if (now - (warned.get(what) ?? 0) < limits.mailWarningMs) return
  warned.set(what, now)
  log.warn({ setting }, `no more ${what} are sent: the number within a day has reached the setting`)
}
