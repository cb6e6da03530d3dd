import { closeSync, constants } from 'node:fs'
import { opendir } from 'node:fs/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { limits } from '../../../config/limits.ts'
import { CarrelError, isOutOfDescriptors } from '../../../errors.ts'
import type { WatchOptions } from '../../driver.ts'
import type { ChangeQueue } from '../../files/change-queue.ts'
import { quote } from '../../files/computer-path.ts'
import { IN_ISDIR, type Inotify, type InotifyEvent } from './inotify.ts'
import { isTemporaryName } from './temporary-name.ts'
import { O_PATH, type RootedDirectory } from './rooted.ts'
import { WatchedDirectory } from './watched-directory.ts'

interface Options {
  top: WatchedDirectory
  /** The watched directory as a root, so that no path that is opened in it leads out of it. */
  topRoot: RootedDirectory
  inotify: Inotify
  changes: ChangeQueue
  watchOptions: WatchOptions
}

/**
 * The known entries of a watched tree, and the inotify watches of its directories. Queues the changes that it finds.
 */
export class WatchedTree {
  readonly #top: WatchedDirectory
  readonly #topRoot: RootedDirectory
  readonly #inotify: Inotify
  readonly #changes: ChangeQueue
  readonly #options: WatchOptions
  readonly #byWatch = new Map<number, WatchedDirectory>()
  /** Directories that were not found at their path, as something above them is being renamed. */
  readonly #missing = new Set<WatchedDirectory>()
  #entryCount = 0
  #closed = false

  constructor({ top, topRoot, inotify, changes, watchOptions }: Options) {
    this.#top = top
    this.#topRoot = topRoot
    this.#inotify = inotify
    this.#changes = changes
    this.#options = watchOptions
  }

  /** Stops work in progress, after which the caller closes `topRoot` and `inotify`. */
  close(): void {
    this.#closed = true
  }

  /** Returns the directory of a watch; undefined when it is not watched any more. */
  directoryOf(watch: number): WatchedDirectory | undefined {
    return this.#byWatch.get(watch)
  }

  /** Handles a rename within the tree. */
  async renamed(
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
    this.#changes.add({ type: 'rename', path, oldPath, directory: isDirectory, replaced })
    if (!isDirectory) return
    if (node) this.#reportRenamed(node, oldPath, path)
    if (node && this.#isSkipped(path)) {
      this.#leave(node)
      to.entries.set(name, undefined)
    } else if (node) {
      ;[node.parent, node.name] = [to, name]
      for (const each of [...node.all()]) if (each.enteredAtMs >= readAtMs - enteringMs) await this.#enterAnew(each)
      for (const missing of [...this.#missing]) await this.enter(missing, true)
    }
    if (!to.entries.get(name)) await this.#enterEntry(to, name, true)
  }

  /** Handles an entry that was moved into the tree. */
  arrived(directory: WatchedDirectory, { name, mask }: InotifyEvent): Promise<void> | void {
    if (isTemporaryName(name)) return
    const isDirectory = (mask & IN_ISDIR) !== 0
    if (directory.entries.has(name) && !isDirectory) {
      if (directory.entries.get(name)) this.vanished(directory, name, true)
      else return this.#changes.add({ type: 'modify', path: directory.pathOf(name), directory: false })
    }
    this.#forget(directory, name)
    return this.appeared(directory, name, isDirectory)
  }

  /** Handles a new entry. */
  appeared(directory: WatchedDirectory, name: string, isDirectory: boolean): Promise<void> | undefined {
    this.#learn(directory, name)
    this.#changes.add({ type: 'create', path: directory.pathOf(name), directory: isDirectory })
    return isDirectory ? this.#enterEntry(directory, name, true) : undefined
  }

  /** Handles an entry that was deleted or moved out of the tree. */
  vanished(directory: WatchedDirectory, name: string, isDirectory: boolean): void {
    if (!directory.entries.has(name)) return
    this.#reportDeleted(directory.entries.get(name))
    this.#forget(directory, name)
    this.#changes.add({ type: 'delete', path: directory.pathOf(name), directory: isDirectory })
  }

  /** Reports renames of paths below a renamed directory. `node` still has its old location. */
  #reportRenamed(node: WatchedDirectory, oldPath: string, newPath: string): void {
    const { reportSeparately } = this.#options
    if (!reportSeparately) return
    for (const { path: before, directory } of node.below()) {
      const path = newPath + before.slice(oldPath.length)
      if (reportSeparately(before) || reportSeparately(path))
        this.#changes.add({ type: 'rename', path, oldPath: before, directory, replaced: false })
    }
  }

  /** Reports deletions of paths below a deleted directory, the innermost first. */
  #reportDeleted(node: WatchedDirectory | undefined): void {
    const { reportSeparately } = this.#options
    if (!reportSeparately || !node) return
    for (const entry of [...node.below()].toReversed())
      if (reportSeparately(entry.path)) this.#changes.add({ type: 'delete', ...entry })
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
    if (node) await this.enter(node, announce)
  }

  /** Adds a directory to the tree. Returns undefined for one that is skipped. */
  #nodeOf(directory: WatchedDirectory, name: string): WatchedDirectory | undefined {
    if (!this.#options.recursive || this.#isSkipped(directory.pathOf(name))) return undefined
    const node = new WatchedDirectory(name, directory)
    directory.entries.set(name, node)
    return node
  }

  /** Watches a directory and all directories below it. Only one is open at a time, at any depth. */
  async enter(top: WatchedDirectory, announce: boolean): Promise<void> {
    const pending = [top]
    for (let directory = pending.pop(); directory && !this.#closed; directory = pending.pop())
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
      if (++count % entriesInTurn === 0) await turn()
      if (this.#closed) return []
      if (directory.entries.has(name) || isTemporaryName(name)) continue
      this.#learn(directory, name)
      if (announce) this.#changes.add({ type: 'create', path: directory.pathOf(name), directory: entry.isDirectory() })
      if (entry.isDirectory()) below.push(name)
    }
    return below.flatMap((name) => this.#nodeOf(directory, name) ?? [])
  }

  #open(directory: WatchedDirectory): number | undefined {
    if (this.#closed) return undefined
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
  async compare(): Promise<void> {
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
      if (kinds.size % entriesInTurn === 0) await turn()
    }
    for (const [name, node] of directory.entries)
      if (!kinds.has(name) || (node && !kinds.get(name))) this.vanished(directory, name, node !== undefined)
    for (const [index, [name, isDirectory]] of [...kinds].entries()) {
      if (index > 0 && index % entriesInTurn === 0) await turn()
      if (this.#closed) return
      if (!directory.entries.has(name) && !isTemporaryName(name)) await this.appeared(directory, name, isDirectory)
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

/**
 * Maximum time between a change and the reading of its event. What was entered earlier was entered before the change.
 */
const enteringMs = 1000
/** Number of entries after which the reader and other work get a turn. */
const entriesInTurn = 500
/** Number of names that are read at a time, as a directory may have millions. */
const readInTurn = 256
