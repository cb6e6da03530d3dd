import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync } from 'node:fs'
import { CarrelError } from '../../../errors.ts'
import { call, SystemError } from '../system/libc.ts'

export interface InotifyEvent {
  /** The watched directory; -1 for a lost part of the queue. */
  watch: number
  mask: number
  /** The same in both events of a move. */
  cookie: number
  /** The entry's name; empty for the directory itself. */
  name: string
  readAtMs: number
}

/**
 * A queue of the kernel's inotify(7). Node's own `fs.watch` hides its cookies and its losses. Node can wait for a pipe
 * but not for such a descriptor, so a `cat` copies the one to the other. It is killed when this program ends.
 */
export class Inotify {
  readonly #fd: number
  readonly #relay: ChildProcess
  readonly #onEvents: (events: InotifyEvent[]) => void
  #rest: Buffer = Buffer.alloc(0)
  #closed = false

  constructor(onEvents: (events: InotifyEvent[]) => void) {
    this.#onEvents = onEvents
    this.#fd = callFor('max_user_instances', () => call('inotify_init1', IN_CLOEXEC))
    this.#relay = spawn('setpriv', ['--pdeathsig', 'KILL', 'cat'], { stdio: [this.#fd, 'pipe', 'ignore'], cwd: '/' })
    this.#relay.on('error', () => {})
    if (this.#relay.pid === undefined) {
      closeSync(this.#fd)
      throw new CarrelError('no_capacity', 'Cannot watch more files: the server has no free file descriptor')
    }
    this.#relay.stdout!.on('data', (chunk: Buffer) => this.#receive(chunk)).on('error', () => {})
  }

  /** Calls the listener when events end although this was not closed. */
  onBroken(listener: () => void): void {
    this.#relay.on('close', () => {
      if (!this.#closed) listener()
    })
  }

  /** Watches an open directory. Returns the number of the watch, which is the same for the same directory. */
  add(directoryFd: number): number {
    const mask = watchedEvents | IN_ONLYDIR | IN_EXCL_UNLINK
    return callFor('max_user_watches', () => call('inotify_add_watch', this.#fd, `/proc/self/fd/${directoryFd}`, mask))
  }

  remove(watch: number): void {
    try {
      call('inotify_rm_watch', this.#fd, watch)
    } catch {
      // The directory was deleted already.
    }
  }

  pause(): void {
    this.#relay.stdout!.pause()
  }

  resume(): void {
    this.#relay.stdout!.resume()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#relay.kill('SIGKILL')
    this.#relay.stdout!.destroy()
    closeSync(this.#fd)
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    const events: InotifyEvent[] = []
    const readAtMs = Date.now()
    let at = 0
    while (bytes.length - at >= headerBytes) {
      const nameBytes = bytes.readUInt32LE(at + 12)
      const end = at + headerBytes + nameBytes
      if (end > bytes.length) break
      const padded = bytes.toString('utf8', at + headerBytes, end)
      events.push({
        watch: bytes.readInt32LE(at),
        mask: bytes.readUInt32LE(at + 4),
        cookie: bytes.readUInt32LE(at + 8),
        name: nameBytes === 0 ? '' : padded.slice(0, padded.indexOf('\0')),
        readAtMs,
      })
      at = end
    }
    this.#rest = bytes.subarray(at)
    if (events.length > 0 && !this.#closed) this.#onEvents(events)
  }
}

function callFor(setting: string, work: () => number): number {
  try {
    return work()
  } catch (error) {
    const { code } = error as SystemError
    if (!(error instanceof SystemError) || (code !== 'ENOSPC' && code !== 'EMFILE')) throw error
    throw new CarrelError(
      'no_capacity',
      `Cannot watch more files: this host has no inotify watches left; its operator can raise the sysctl fs.inotify.${setting}`,
      { details: { sysctl: `fs.inotify.${setting}` }, cause: error },
    )
  }
}

const headerBytes = 16
const IN_CLOEXEC = 0o2000000
export const IN_MODIFY = 0x2
export const IN_ATTRIB = 0x4
export const IN_MOVED_FROM = 0x40
export const IN_MOVED_TO = 0x80
export const IN_CREATE = 0x100
export const IN_DELETE = 0x200
export const IN_MOVE_SELF = 0x800
export const IN_UNMOUNT = 0x2000
export const IN_Q_OVERFLOW = 0x4000
export const IN_ISDIR = 0x4000_0000
const IN_ONLYDIR = 0x0100_0000
const IN_EXCL_UNLINK = 0x0400_0000
const watchedEvents = IN_MODIFY | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_MOVE_SELF
