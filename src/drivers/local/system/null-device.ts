import { chmodSync, closeSync, openSync, unlinkSync } from 'node:fs'
import koffi from 'koffi'
import { mountDetached } from './detached-mount.ts'
import { Pipe } from './pipe.ts'

const libc = koffi.load('libc.so.6')
const mknod = libc.func('int mknod(const char *path, uint mode, ulong device)')

/**
 * Gives each start a null device of its own: a node that nothing else has open, on a file system in memory that is mounted
 * nowhere. The runtime makes the program's user the owner of what it gets as stdin, so the host's own `/dev/null` would be
 * the guest's to close to everybody else, and the flags of one open description a word from guest to guest. An empty pipe
 * would be as safe, but programs that find a pipe read it instead of what they were meant to (ripgrep searches nothing).
 */
export class NullDevices {
  #directory: string | undefined

  constructor() {
    try {
      this.#directory = `/proc/self/fd/${mountDetached('tmpfs', { mode: '0700', size: '64k' })}`
    } catch {
      // A kernel before 5.2, or no right to mount.
    }
  }

  /** A descriptor for reading and writing, closed on exec; the caller closes it. An empty pipe where no node can be made. */
  open(): number {
    return (this.#directory !== undefined && openNode(`${this.#directory}/null`)) || emptyPipe()
  }
}

function openNode(path: string): number | undefined {
  if (mknod(path, S_IFCHR, NULL_DEVICE) !== 0) return undefined
  try {
    chmodSync(path, 0o666)
    return openSync(path, 'r+')
  } catch {
    return undefined
  } finally {
    unlinkSync(path)
  }
}

function emptyPipe(): number {
  const pipe = new Pipe()
  closeSync(pipe.writeEnd)
  return pipe.readEnd
}

const S_IFCHR = 0o02_0000
/** Major 1, minor 3. */
const NULL_DEVICE = 0x103
