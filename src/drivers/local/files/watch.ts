import { closeSync, constants, fstatSync } from 'node:fs'
import { opendir } from 'node:fs/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { limits } from '../../../config/limits.ts'
import { CarrelError, isOutOfDescriptors } from '../../../errors.ts'
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
import { O_PATH, RootedDirectory } from './rooted.ts'
import { WatchedDirectory } from './watched-directory.ts'
import { isTemporaryName } from './new-file.ts'

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
  readonly #options: WatchOptions
  readonly #top: WatchedDirectory
  /** The watched directory as a root, so that no path that is opened in it leads out of it. */
  readonly #topRoot: RootedDirectory
  readonly #inotify: Inotify
  readonly #byWatch = new Map<number, WatchedDirectory>()
  /** Directories that were not found at their path, as something above them is being renamed. */
  readonly #missing = new Set<WatchedDirectory>()
  #entryCount = 0
  #events: InotifyEvent[] = []
  #next = 0
  /** Second events of moves that wait in `#events`, by cookie. */
  readonly #arrivals = new Map<number, InotifyEvent>()
  #wake: (() => void) | undefined
  #lost = false
  #ended = false
  #deletionCheck: NodeJS.Timeout | undefined

  constructor(root: RootedDirectory, path: string, options: WatchOptions) {
    this.#options = options
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
    this.#inotify.onBroken(() => this.#fail(new CarrelError('unavailable', `Cannot continue to watch ${quote(path)}`)))
  }

  async begin(): Promise<void> {
    await this.#enter(this.#top, false)
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
    const directory = this.#byWatch.get(event.watch)
    if (!directory) return
    if (directory === this.#top && mask & (IN_MOVE_SELF | IN_UNMOUNT)) return this.#gone()
    if (name === '') return
    if (mask & IN_MOVED_FROM) return this.#moved(directory, event)
    if (mask & IN_MOVED_TO) return this.#arrived(directory, event)
    if (isTemporaryName(name)) return
    const isDirectory = (mask & IN_ISDIR) !== 0
    if (mask & IN_CREATE) return directory.entries.has(name) ? undefined : this.#appeared(directory, name, isDirectory)
    if (mask & IN_DELETE) return this.#vanished(directory, name, isDirectory)
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
    const to = arrival && this.#byWatch.get(arrival.watch)
    this.#arrivals.delete(event.cookie)
    const isDirectory = (event.mask & IN_ISDIR) !== 0
    if (!arrival || !to || isTemporaryName(arrival.name)) return this.#vanished(from, event.name, isDirectory)
    // An entry that was not known under its old name, such as a temporary file, counts as coming from elsewhere.
    if (isTemporaryName(event.name) || !from.entries.has(event.name)) return this.#arrived(to, arrival)
    await this.#renamed(from, event, to, arrival.name)
  }

  async #renamed(
    from: WatchedDirectory,
    { name: oldName, mask, readAtMs }: InotifyEvent,
    to: WatchedDirectory,
    name: string,
  ): Promise<void> {
    const isDirectory = (mask & IN_ISDIR) !== 0
    const [oldPath, path] = [from.pathOf(oldName), to.pathOf(name)]
    const node = from.entries.get(oldName)
    const replaced = to.entries.has(name)
    this.#forget(to, name)
    from.entries.delete(oldName)
    to.entries.set(name, node)
    this.changes.add({ type: 'rename', path, oldPath, directory: isDirectory, replaced })
    if (!isDirectory) return
    if (node) this.#reportRenamed(node, oldPath, path)
    if (node && this.#isSkipped(path)) {
      this.#leave(node)
      to.entries.set(name, undefined)
    } else if (node) {
      ;[node.parent, node.name] = [to, name]
      for (const each of [...node.all()]) if (each.enteredAtMs >= readAtMs - enteringMs) await this.#enterAnew(each)
      for (const missing of [...this.#missing]) await this.#enter(missing, true)
    }
    if (!to.entries.get(name)) await this.#enterEntry(to, name, true)
  }

  #arrived(directory: WatchedDirectory, { name, mask }: InotifyEvent): Promise<void> | void {
    if (isTemporaryName(name)) return
    const isDirectory = (mask & IN_ISDIR) !== 0
    if (directory.entries.has(name) && !isDirectory) {
      if (directory.entries.get(name)) this.#vanished(directory, name, true)
      else return this.changes.add({ type: 'modify', path: directory.pathOf(name), directory: false })
    }
    this.#forget(directory, name)
    return this.#appeared(directory, name, isDirectory)
  }

  #appeared(directory: WatchedDirectory, name: string, isDirectory: boolean): Promise<void> | undefined {
    this.#learn(directory, name)
    this.changes.add({ type: 'create', path: directory.pathOf(name), directory: isDirectory })
    return isDirectory ? this.#enterEntry(directory, name, true) : undefined
  }

  #vanished(directory: WatchedDirectory, name: string, isDirectory: boolean): void {
    if (!directory.entries.has(name)) return
    this.#reportDeleted(directory.entries.get(name))
    this.#forget(directory, name)
    this.changes.add({ type: 'delete', path: directory.pathOf(name), directory: isDirectory })
  }

  /** Reports renames of paths below a renamed directory. `node` still has its old location. */
  #reportRenamed(node: WatchedDirectory, oldPath: string, newPath: string): void {
    const { reportSeparately } = this.#options
    if (!reportSeparately) return
    for (const { path: before, directory } of node.below()) {
      const path = newPath + before.slice(oldPath.length)
      if (reportSeparately(before) || reportSeparately(path))
        this.changes.add({ type: 'rename', path, oldPath: before, directory, replaced: false })
    }
  }

  /** Reports deletions of paths below a deleted directory, the innermost first. */
  #reportDeleted(node: WatchedDirectory | undefined): void {
    const { reportSeparately } = this.#options
    if (!reportSeparately || !node) return
    for (const entry of [...node.below()].toReversed())
      if (reportSeparately(entry.path)) this.changes.add({ type: 'delete', ...entry })
  }

  #learn(directory: WatchedDirectory, name: string): void {
    directory.entries.set(name, undefined)
    if (++this.#entryCount > limits.watchEntries) throw this.#tooManyEntries()
  }

  #tooManyEntries(): CarrelError {
    return new CarrelError(
      'limit_reached',
      `Cannot watch ${quote(this.#top.path)}: it holds more than ${limits.watchEntries} files and directories; watch a part of it, or exclude some`,
      { details: { limit: limits.watchEntries } },
    )
  }

  #forget(directory: WatchedDirectory, name: string): void {
    const node = directory.entries.get(name)
    if (node) this.#leave(node)
    if (directory.entries.delete(name)) this.#entryCount--
  }

  async #enterEntry(directory: WatchedDirectory, name: string, announce: boolean): Promise<void> {
    const node = this.#nodeOf(directory, name)
    if (node) await this.#enter(node, announce)
  }

  /** Adds a directory to the tree. Returns undefined for one that is skipped. */
  #nodeOf(directory: WatchedDirectory, name: string): WatchedDirectory | undefined {
    if (!this.#options.recursive || this.#isSkipped(directory.pathOf(name))) return undefined
    const node = new WatchedDirectory(name, directory)
    directory.entries.set(name, node)
    return node
  }

  /** Watches a directory and all directories below it. Only one is open at a time, at any depth. */
  async #enter(top: WatchedDirectory, announce: boolean): Promise<void> {
    const pending = [top]
    for (let directory = pending.pop(); directory && !this.#ended; directory = pending.pop())
      for (const below of (await this.#enterOne(directory, announce)).toReversed()) pending.push(below)
  }

  /**
   * Watches a directory, then reads its entries: what is created in between is found in both ways, and reported once.
   * Returns the directories in it, which are still to be entered.
   */
  async #enterOne(directory: WatchedDirectory, announce: boolean): Promise<WatchedDirectory[]> {
    this.#missing.delete(directory)
    const fd = this.#open(directory)
    if (fd === undefined) return []
    try {
      if (this.#byWatch.size >= limits.watchDirectories) throw this.#tooManyDirectories()
      const watch = this.#inotify.add(fd)
      const other = this.#byWatch.get(watch)
      if (other && other !== directory) {
        other.watch = undefined
        this.#missing.add(other)
      }
      directory.watch = watch
      directory.enteredAtMs = Date.now()
      this.#byWatch.set(watch, directory)
      return await this.#readEntries(directory, fd, announce)
    } finally {
      closeSync(fd)
    }
  }

  /**
   * Checks a directory again under its new name. When a directory is entered while it is being renamed, another one may
   * have its old name by then.
   */
  async #enterAnew(directory: WatchedDirectory): Promise<void> {
    if (directory.watch === undefined) return
    const fd = this.#open(directory)
    if (fd === undefined) return
    try {
      const watch = this.#inotify.add(fd)
      if (watch === directory.watch) return
      if (this.#byWatch.get(directory.watch) === directory) {
        this.#byWatch.delete(directory.watch)
        this.#inotify.remove(directory.watch)
      }
      directory.watch = watch
      this.#byWatch.set(watch, directory)
      await this.#compareOne(directory, fd)
    } finally {
      closeSync(fd)
    }
  }

  async #readEntries(directory: WatchedDirectory, fd: number, announce: boolean): Promise<WatchedDirectory[]> {
    const below: string[] = []
    let count = 0
    for await (const entry of await opendir(`/proc/self/fd/${fd}`, { bufferSize: readInTurn })) {
      const { name } = entry
      if (++count % handledInTurn === 0) await turn()
      if (this.#ended) return []
      if (directory.entries.has(name) || isTemporaryName(name)) continue
      this.#learn(directory, name)
      if (announce) this.changes.add({ type: 'create', path: directory.pathOf(name), directory: entry.isDirectory() })
      if (entry.isDirectory()) below.push(name)
    }
    return below.flatMap((name) => this.#nodeOf(directory, name) ?? [])
  }

  #open(directory: WatchedDirectory): number | undefined {
    if (this.#ended) return undefined
    try {
      const path = directory.relativePath || '/'
      return this.#topRoot.open(path, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW)
    } catch (error) {
      if (directory === this.#top || isOutOfDescriptors(error)) throw error
      this.#missing.add(directory)
      return undefined
    }
  }

  /** Stops watching a directory and all directories below it. */
  #leave(directory: WatchedDirectory): void {
    for (const each of directory.all()) {
      this.#missing.delete(each)
      if (each.watch !== undefined && this.#byWatch.get(each.watch) === each) {
        this.#byWatch.delete(each.watch)
        this.#inotify.remove(each.watch)
      }
      each.watch = undefined
      this.#entryCount -= each.entries.size
    }
    directory.entries.clear()
  }

  /** Compares the tree with what is known, after lost events, so that no creation or deletion is missed. */
  async #compare(): Promise<void> {
    this.#lost = false
    for (const directory of [...this.#top.all()]) {
      const fd = this.#open(directory)
      if (fd === undefined) continue
      try {
        await this.#compareOne(directory, fd)
      } finally {
        closeSync(fd)
      }
    }
  }

  async #compareOne(directory: WatchedDirectory, fd: number): Promise<void> {
    const kinds = new Map<string, boolean>()
    for await (const entry of await opendir(`/proc/self/fd/${fd}`, { bufferSize: readInTurn })) {
      kinds.set(entry.name, entry.isDirectory())
      if (kinds.size > limits.watchEntries) throw this.#tooManyEntries()
      if (kinds.size % handledInTurn === 0) await turn()
    }
    for (const [name, node] of directory.entries)
      if (!kinds.has(name) || (node && !kinds.get(name))) this.#vanished(directory, name, node !== undefined)
    for (const [index, [name, isDirectory]] of [...kinds].entries()) {
      if (index > 0 && index % handledInTurn === 0) await turn()
      if (this.#ended) return
      if (!directory.entries.has(name) && !isTemporaryName(name)) await this.#appeared(directory, name, isDirectory)
    }
  }

  #isSkipped(path: string): boolean {
    return this.#options.skip?.(path) === true
  }

  #tooManyDirectories(): CarrelError {
    return new CarrelError(
      'limit_reached',
      `Cannot watch ${quote(this.#top.path)}: it holds more than ${limits.watchDirectories} directories; watch a part of it, or exclude some`,
      { details: { limit: limits.watchDirectories } },
    )
  }
}

/** Time limit for the second event of a move. Both events come in succession, unless another change is in between. */
const otherHalfMs = 25
/**
 * Maximum time between a change and the reading of its event. What was entered earlier was entered before the change.
 */
const enteringMs = 1000
const deletionCheckMs = 1000
/** Number of events after which the reader and other work get a turn. */
const handledInTurn = 500
/** Number of names that are read at a time, as a directory may have millions. */
const readInTurn = 256
