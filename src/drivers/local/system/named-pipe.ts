import { closeSync, constants, openSync } from 'node:fs'
import { call } from './libc.ts'

/**
 * Opens an end of a named pipe, for a child. Never waits: to write, somebody has to have it open for reading, else this
 * throws `ENXIO`.
 */
export function openNamedPipe(path: string, end: 'read' | 'write'): number {
  const mode = end === 'read' ? constants.O_RDONLY : constants.O_WRONLY
  const fd = openSync(path, mode | constants.O_NONBLOCK)
  try {
    // The child shares the flag, and may not expect it.
    call('fcntl', fd, F_SETFL, 0)
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

const F_SETFL = 4
