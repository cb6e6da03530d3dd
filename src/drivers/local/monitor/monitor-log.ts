import { fstatSync, ftruncateSync, writeSync } from 'node:fs'

/** Far more than a monitor logs in a year. Beyond this size, the log is emptied. */
const maxLogBytes = 1024 * 1024

/**
 * Writes a message to stderr, which is the monitor's log. Ignores a full disk, which must not end the program that all
 * computers depend on: `process.stderr` would throw.
 */
export function logError(message: string): void {
  try {
    const stats = fstatSync(stderrFd)
    // The file is open for appending, so the next message goes to its beginning.
    if (stats.isFile() && stats.size > maxLogBytes) ftruncateSync(stderrFd, 0)
    writeSync(stderrFd, `${new Date().toISOString()} ${message}\n`)
  } catch {
    // There is nowhere to report this.
  }
}

const stderrFd = 2
