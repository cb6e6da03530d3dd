import { fstatSync, ftruncateSync, writeSync } from 'node:fs'

/** Far more than a monitor says in a year; beyond it the log begins anew. */
const maxLogBytes = 1024 * 1024

/**
 * Says something on stderr, which is the monitor's log. A disk that is full takes nothing, and that must not end what every
 * computer depends on: `process.stderr` would throw.
 */
export function complain(message: string): void {
  try {
    const stats = fstatSync(stderrFd)
    // It is open for appending: what comes next goes to its beginning.
    if (stats.isFile() && stats.size > maxLogBytes) ftruncateSync(stderrFd, 0)
    writeSync(stderrFd, `${new Date().toISOString()} ${message}\n`)
  } catch {
    // Nobody can be told.
  }
}

const stderrFd = 2
