import { openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import koffi from 'koffi'

/**
 * Locks a data directory for this server. The kernel releases the lock when the process ends, however it ends. Throws
 * with the process id of the other server if there is one.
 */
export function lockDataDirectory(dataDirectory: string): void {
  const file = join(dataDirectory, 'server.lock')
  const fd = openSync(file, 'a+', 0o600)
  const flock = koffi.load('libc.so.6').func('int flock(int fd, int operation)')
  if (flock(fd, LOCK_EX | LOCK_NB) !== 0) {
    const pid = readFileSync(file, 'utf8').trim()
    throw new Error(
      `Cannot start: another server (process ${pid}) uses ${dataDirectory}; stop it, or set CARREL_DATA to another directory`,
    )
  }
  writeFileSync(file, `${process.pid}\n`)
}

const LOCK_EX = 2
const LOCK_NB = 4
