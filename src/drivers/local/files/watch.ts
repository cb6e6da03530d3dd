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
 * Tells what changes under a directory, by inotify on each directory of the tree. Directories are opened below the top
 * one without following links. Ends when `signal` aborts, or with `gone` when the directory itself goes.
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
  /** The watched directory as a root of its own: nothing that is opened in it leads out of it. */
  readonly #topRoot: RootedDirectory
  readonly #inotify: Inotify
  readonly #byWatch = new Map<number, WatchedDirectory>()
  /** Directories that were not where they should be: something above them is being renamed. */
  readonly #missing = new Set<WatchedDirectory>()
  #entryCount = 0
  #events: InotifyEvent[] = []
  #next = 0
  /** Second halves of moves that wait in `#events`, by cookie. */
  readonly #arrivals = new Map<number, InotifyEvent>()
  #wake: (() => void) | undefined
  #lost = false
  #ended = false
  #lookout: NodeJS.Timeout | undefined

  constructor(root: RootedDirectory, path: string, options: WatchOptions) {
    this.#options = options
    this.#top = new WatchedDirectory(path)
    // Follows a link that the path itself is; links below it are entries like others.
    const fd = root.open(path, O_PATH | constants.O_DIRECTORY)
    try {
      this.#topRoot = new RootedDirectory(`/proc/self/fd/${fd}`)
    } finally {
      closeSync(fd)
    }
    try {
      this.#inotify = new Inotify((events) => this.#take(events))
    } catch (error) {
      this.#topRoot.close()
      throw error
    }
    this.#inotify.onBroken(() => this.#fail(new CarrelError('unavailable', `Cannot go on watching ${quote(path)}`)))
  }

  async begin(): Promise<void> {
    await this.#enter(this.#top, false)
    if (this.#ended) return
    this.changes.add({ type: 'ready', path: this.#top.path, directory: true })
    void this.#work().catch((error: unknown) => this.#fail(error))
    // The descriptor that is held on it keeps the kernel from telling that it was removed.
    this.#lookout = setInterval(() => {
      if (fstatSync(this.#topRoot.fd).nlink === 0) this.#gone()
    }, lookoutMs)
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    clearInterval(this.#lookout)
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

  #take(events: InotifyEvent[]): void {
    for (const event of events) {
      this.#events.push(event)
      if (event.mask & IN_MOVED_TO) this.#arrivals.set(event.cookie, event)
    }
    // What the kernel cannot hand over it keeps, and says when it is too much.
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
    // The first half of its move has taken it along already.
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

  /** The first half of a move; its second half follows at once when it goes to a place in the tree. */
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
    // What was not known under its old name, a temporary file for one, comes from elsewhere as far as can be told.
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
    if (node) this.#tellRenamed(node, oldPath, path)
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
    this.#tellDeleted(directory.entries.get(name))
    this.#forget(directory, name)
    this.changes.add({ type: 'delete', path: directory.pathOf(name), directory: isDirectory })
  }

  /** `node` has its old place yet. */
  #tellRenamed(node: WatchedDirectory, oldPath: string, newPath: string): void {
    const { reportSeparately } = this.#options
    if (!reportSeparately) return
    for (const { path: before, directory } of node.below()) {
      const path = newPath + before.slice(oldPath.length)
      if (reportSeparately(before) || reportSeparately(path))
        this.changes.add({ type: 'rename', path, oldPath: before, directory, replaced: false })
    }
  }

  /** Of a directory that goes with what is in it, the innermost first. */
  #tellDeleted(node: WatchedDirectory | undefined): void {
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

  /** A directory of the tree by its name; undefined for one that is left out. */
  #nodeOf(directory: WatchedDirectory, name: string): WatchedDirectory | undefined {
    if (!this.#options.recursive || this.#isSkipped(directory.pathOf(name))) return undefined
    const node = new WatchedDirectory(name, directory)
    directory.entries.set(name, node)
    return node
  }

  /** Watches a directory and all below. One is open at a time, however deep they lie. */
  async #enter(top: WatchedDirectory, announce: boolean): Promise<void> {
    const left = [top]
    for (let directory = left.pop(); directory && !this.#ended; directory = left.pop())
      for (const below of (await this.#enterOne(directory, announce)).toReversed()) left.push(below)
  }

  /**
   * Watches a directory, then looks what is in it: what comes in between is found by both, and told once. Gives the directories in it,
   * which are still to be entered.
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
      return await this.#look(directory, fd, announce)
    } finally {
      closeSync(fd)
    }
  }

  /**
   * A directory that was entered by its name while it was being renamed may be another that had the name by then: looks
   * under its new name which one it is.
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

  async #look(directory: WatchedDirectory, fd: number, announce: boolean): Promise<WatchedDirectory[]> {
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

  /** Stops watching a directory and all below. */
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

  /** After a loss: what is there now against what is known, so that no file that came or went stays unknown. */
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

/** The halves of a move come one after the other; only another's change can get in between. */
const otherHalfMs = 25
/** Between what happens and its event being read: what was entered longer ago was entered before it. */
const enteringMs = 1000
const lookoutMs = 1000
/** After so many the reader gets a turn, and everybody else. */
const handledInTurn = 500
/** Names that are read at a time: a directory may have millions, of which all are too many. */
const readInTurn = 256
