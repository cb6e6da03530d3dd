import { chmodSync, closeSync, openSync, unlinkSync } from 'node:fs'
import koffi from 'koffi'
import { mountDetached } from './detached-mount.ts'
import { Pipe } from './pipe.ts'

const libc = koffi.load('libc.so.6')
const mknod = libc.func('int mknod(const char *path, uint mode, ulong device)')

/**
 * Creates a separate null device for each start: a node that nothing else has open, on a file system in memory without
 * a mount point. The runtime makes the program's user the owner of its stdin, so a guest could deny everyone else
 * access to the host's own `/dev/null`, and guests could communicate through the flags of a shared open file
 * description. An empty pipe is as safe, but programs that find a pipe read it instead of their intended input (ripgrep
 * searches nothing).
 */
export class NullDevices {
  #directory: string | undefined

  constructor() {
    try {
      this.#directory = `/proc/self/fd/${mountDetached('tmpfs', { mode: '0700', size: '64k' })}`
    } catch {
      // The kernel is older than 5.2 or does not permit the mount.
    }
  }

  /**
   * Returns a descriptor for reading and writing, closed on exec, or an empty pipe where no node can be created. The
   * caller closes it.
   */
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
