import { closeSync, constants, fstatSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { limits } from '../../../config/limits.ts'
import { CarrelError } from '../../../errors.ts'
import type { FileChange, WatchOptions } from '../../driver.ts'
import { ChangeQueue } from '../../files/change-queue.ts'
import {
  IN_ATTRIB,
  IN_CREATE,
  IN_DELETE,
  IN_ISDIR,
  IN_MODIFY,
  IN_MOVE_SELF,
  IN_MOVED_FROM,
  IN_MOVED_TO,
  IN_Q_OVERFLOW,
  IN_UNMOUNT,
  Inotify,
  type InotifyEvent,
} from './inotify.ts'
import { quote } from '../../files/computer-path.ts'
import { isTemporaryName } from './temporary-name.ts'
import { O_PATH, RootedDirectory } from './rooted.ts'
import { WatchedDirectory } from './watched-directory.ts'
import { WatchedTree } from './watched-tree.ts'

/**
 * Yields the changes below a directory, from inotify on each directory of the tree. Directories below the top are
 * opened without following links. Ends when `signal` aborts, or with `gone` when the directory itself is deleted or
 * moved.
 */
export async function* watchDirectory(
  root: RootedDirectory,
  path: string,
  options: WatchOptions,
): AsyncIterable<FileChange> {
  if (options.signal.aborted) return
  const watch = new Watch(root, path.length > 1 ? path.replace(/\/+$/, '') : path, options)
  const end = () => watch.end()
  options.signal.addEventListener('abort', end, { once: true })
  try {
    await watch.begin()
    yield* watch.changes.read()
  } finally {
    options.signal.removeEventListener('abort', end)
    watch.end()
  }
}

class Watch {
  readonly changes = new ChangeQueue(limits.watchQueue)
  readonly #top: WatchedDirectory
  /** The watched directory as a root, so that no path that is opened in it leads out of it. */
  readonly #topRoot: RootedDirectory
  readonly #inotify: Inotify
  readonly #tree: WatchedTree
  #events: InotifyEvent[] = []
  #next = 0
  /** Second events of moves that wait in `#events`, by cookie. */
  readonly #arrivals = new Map<number, InotifyEvent>()
  #wake: (() => void) | undefined
  #lost = false
  #ended = false
  #deletionCheck: NodeJS.Timeout | undefined

  constructor(root: RootedDirectory, path: string, options: WatchOptions) {
    this.#top = new WatchedDirectory(path)
    // Follows the path itself when it is a link. Links below are entries like others.
    const fd = root.open(path, O_PATH | constants.O_DIRECTORY)
    try {
      this.#topRoot = new RootedDirectory(`/proc/self/fd/${fd}`)
    } finally {
      closeSync(fd)
    }
    try {
      this.#inotify = new Inotify((events) => this.#receive(events))
    } catch (error) {
      this.#topRoot.close()
      throw error
    }
    this.#tree = new WatchedTree({
      top: this.#top,
      topRoot: this.#topRoot,
      inotify: this.#inotify,
      changes: this.changes,
      watchOptions: options,
    })
    this.#inotify.onBroken(() => this.#fail(new CarrelError('unavailable', `Cannot continue to watch ${quote(path)}`)))
  }

  async begin(): Promise<void> {
    await this.#tree.enter(this.#top, false)
    if (this.#ended) return
    this.changes.add({ type: 'ready', path: this.#top.path, directory: true })
    void this.#work().catch((error: unknown) => this.#fail(error))
    // While this program has a descriptor of it, the kernel does not report that the directory was deleted.
    this.#deletionCheck = setInterval(() => {
      if (fstatSync(this.#topRoot.fd).nlink === 0) this.#gone()
    }, deletionCheckMs)
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    clearInterval(this.#deletionCheck)
    this.#tree.close()
    this.#inotify.close()
    this.#topRoot.close()
    this.changes.end()
    this.#wake?.()
  }

  #gone(): void {
    this.changes.end({ type: 'gone', path: this.#top.path, directory: true })
    this.end()
  }

  #fail(error: unknown): void {
    this.changes.end(undefined, error)
    this.end()
  }

  #receive(events: InotifyEvent[]): void {
    for (const event of events) {
      this.#events.push(event)
      if (event.mask & IN_MOVED_TO) this.#arrivals.set(event.cookie, event)
    }
    // The kernel keeps events that are not read, and reports an overflow when there are too many.
    if (this.#events.length - this.#next > limits.watchBacklog) this.#inotify.pause()
    this.#wake?.()
  }

  async #work(): Promise<void> {
    for (let count = 1; !this.#ended; count++) {
      const event = this.#events[this.#next]
      if (!event) {
        this.#events = []
        this.#next = 0
        this.#inotify.resume()
        if (this.#lost) await this.#compare()
        else await this.#more()
        continue
      }
      this.#next++
      await this.#handle(event)
      if (count % handledInTurn > 0) continue
      this.#events.splice(0, this.#next)
      this.#next = 0
      await turn()
    }
  }

  #compare(): Promise<void> {
    this.#lost = false
    return this.#tree.compare()
  }

  /** Waits for more events, or for a time. */
  async #more(waitMs?: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      if (waitMs !== undefined) timer = setTimeout(resolve, waitMs)
    })
    clearTimeout(timer)
    this.#wake = undefined
  }

  #handle(event: InotifyEvent): Promise<void> | void {
    const { mask, name } = event
    // The first event of the move has handled this one already.
    if (mask & IN_MOVED_TO && !this.#arrivals.delete(event.cookie)) return
    if (mask & IN_Q_OVERFLOW) {
      this.#lost = true
      this.changes.add({ type: 'overflow', path: this.#top.path, directory: true })
      return
    }
    const directory = this.#tree.directoryOf(event.watch)
    if (!directory) return
    if (directory === this.#top && mask & (IN_MOVE_SELF | IN_UNMOUNT)) return this.#gone()
    if (name === '') return
    if (mask & IN_MOVED_FROM) return this.#moved(directory, event)
    if (mask & IN_MOVED_TO) return this.#tree.arrived(directory, event)
    if (isTemporaryName(name)) return
    const isDirectory = (mask & IN_ISDIR) !== 0
    if (mask & IN_CREATE)
      return directory.entries.has(name) ? undefined : this.#tree.appeared(directory, name, isDirectory)
    if (mask & IN_DELETE) return this.#tree.vanished(directory, name, isDirectory)
    if (mask & (IN_MODIFY | IN_ATTRIB) && !isDirectory && directory.entries.has(name))
      this.changes.add({ type: 'modify', path: directory.pathOf(name), directory: false })
  }

  /** Handles the first event of a move. The second one follows at once when the target is in the tree. */
  async #moved(from: WatchedDirectory, event: InotifyEvent): Promise<void> {
    while (!this.#arrivals.has(event.cookie) && !this.#ended) {
      const waitMs = event.readAtMs + otherHalfMs - Date.now()
      if (waitMs <= 0) break
      await this.#more(waitMs)
    }
    const arrival = this.#arrivals.get(event.cookie)
    const to = arrival && this.#tree.directoryOf(arrival.watch)
    this.#arrivals.delete(event.cookie)
    const isDirectory = (event.mask & IN_ISDIR) !== 0
    if (!arrival || !to || isTemporaryName(arrival.name)) return this.#tree.vanished(from, event.name, isDirectory)
    // An entry that was not known under its old name, such as a temporary file, counts as coming from elsewhere.
    if (isTemporaryName(event.name) || !from.entries.has(event.name)) return this.#tree.arrived(to, arrival)
    await this.#tree.renamed(from, event, to, arrival.name)
  }
}

/** Time limit for the second event of a move. Both events come in succession, unless another change is in between. */
const otherHalfMs = 25
const deletionCheckMs = 1000
/** Number of events after which the reader and other work get a turn. */
const handledInTurn = 500
