import type { Logger } from 'pino'
import { limits } from '../../../config/limits.ts'

const warnedAtMs = new WeakMap<Logger, Map<string, number>>()

/** Tells the operator, now and then, that no more mail of a kind goes out today: whoever is refused cannot. */
export function warnOfMail(log: Logger, what: string, setting: string): void {
  const warned = warnedAtMs.get(log) ?? new Map<string, number>()
  warnedAtMs.set(log, warned)
  const now = Date.now()
  if (now - (warned.get(what) ?? 0) < limits.mailWarningMs) return
  warned.set(what, now)
  log.warn({ setting }, `no more ${what} are sent: there were as many within a day as the setting says`)
}
