import { limits } from '../../../config/limits.ts'
import { CarrelError } from '../../../errors.ts'
import type { FileChange, WatchOptions } from '../../driver.ts'
import { ChangeQueue } from '../../files/change-queue.ts'
import { quote } from '../../files/computer-path.ts'
import { toText } from './byte-strings.ts'
import type { FileSystem, FileSystemEvent } from './file-system.ts'
import type { DirectoryNode, Node } from './nodes.ts'

/**
 * Yields the changes below a directory until `signal` aborts; ends with `gone` when the directory itself is removed.
 */
export async function* watchTree(
  files: FileSystem,
  top: DirectoryNode,
  path: string,
  options: WatchOptions,
): AsyncIterable<FileChange> {
  const watch = new TreeWatch(top, path.length > 1 ? path.replace(/\/+$/, '') : path, options)
  watch.checkSize()
  const stop = files.onEvent((event) => watch.take(event))
  const end = () => watch.changes.end()
  options.signal.addEventListener('abort', end, { once: true })
  if (options.signal.aborted) end()
  try {
    watch.changes.add({ type: 'ready', path: watch.path, directory: true })
    yield* watch.changes.read()
  } finally {
    options.signal.removeEventListener('abort', end)
    stop()
  }
}

class TreeWatch {
  readonly path: string
  readonly changes = new ChangeQueue(limits.watchQueue)
  readonly #top: DirectoryNode
  readonly #options: WatchOptions

  constructor(top: DirectoryNode, path: string, options: WatchOptions) {
    this.#top = top
    this.path = path
    this.#options = options
  }

  /** Throws `limit_reached` for a tree that is too large to watch. */
  checkSize(): void {
    if (!this.#options.recursive) return
    let entries = 0
    let directories = 1
    for (const { directory } of this.#below(this.#top, this.path)) {
      entries++
      if (directory) directories++
    }
    if (entries > limits.watchEntries) throw tooLarge(this.path, limits.watchEntries, 'files and directories')
    if (directories > limits.watchDirectories) throw tooLarge(this.path, limits.watchDirectories, 'directories')
  }

  take(event: FileSystemEvent): void {
    if (event.node === this.#top && event.type !== 'create' && event.type !== 'modify')
      return this.changes.end({ type: 'gone', path: this.path, directory: true })
    const path = this.#pathOf(event.directory, event.name)
    const directory = event.node.kind === 'directory'
    if (event.type === 'rename') return this.#renamed(event, path)
    if (path === undefined) return
    if (event.type === 'create') return this.#appeared(event.node, path)
    this.changes.add({ type: event.type, path, directory })
  }

  #renamed(event: FileSystemEvent & { type: 'rename' }, path: string | undefined): void {
    const oldPath = this.#pathOf(event.from.directory, event.from.name)
    const directory = event.node.kind === 'directory'
    if (oldPath !== undefined && path !== undefined) {
      this.changes.add({ type: 'rename', path, oldPath, directory, replaced: event.replaced })
      if (event.node.kind === 'directory') this.#reportRenamed(event.node, oldPath, path)
    } else if (oldPath !== undefined) {
      if (event.node.kind === 'directory') this.#reportDeleted(event.node, oldPath)
      this.changes.add({ type: 'delete', path: oldPath, directory })
    } else if (path !== undefined) this.#appeared(event.node, path, event.replaced)
  }

  #appeared(node: Node, path: string, replaced = false): void {
    const directory = node.kind === 'directory'
    this.changes.add({ type: replaced && !directory ? 'modify' : 'create', path, directory })
    if (!directory || !this.#options.recursive || this.#isSkipped(path)) return
    for (const entry of this.#below(node, path)) this.changes.add({ type: 'create', ...entry })
  }

  #reportRenamed(node: DirectoryNode, oldPath: string, path: string): void {
    const { reportSeparately, recursive } = this.#options
    if (!recursive || this.#isSkipped(path)) return
    const wasSkipped = this.#isSkipped(oldPath)
    for (const { path: now, directory } of this.#below(node, path)) {
      const before = oldPath + now.slice(path.length)
      if (wasSkipped) this.changes.add({ type: 'create', path: now, directory })
      else if (reportSeparately?.(before) || reportSeparately?.(now))
        this.changes.add({ type: 'rename', path: now, oldPath: before, directory, replaced: false })
    }
  }

  /** Reports deleted entries, innermost first. */
  #reportDeleted(node: DirectoryNode, path: string): void {
    const { reportSeparately, recursive } = this.#options
    if (!reportSeparately || !recursive || this.#isSkipped(path)) return
    for (const entry of [...this.#below(node, path)].toReversed())
      if (reportSeparately(entry.path)) this.changes.add({ type: 'delete', ...entry })
  }

  /** Yields the watched entries below a directory. */
  *#below(node: DirectoryNode, path: string): Generator<{ path: string; directory: boolean }> {
    for (const entry of node.sorted()) {
      const below = join(path, toText(entry.name))
      yield { path: below, directory: entry.kind === 'directory' }
      if (entry.kind === 'directory' && !this.#isSkipped(below)) yield* this.#below(entry, below)
    }
  }

  /** Returns the path of an entry; undefined when it is outside the watched tree or in a part that is skipped. */
  #pathOf(directory: DirectoryNode, name: string): string | undefined {
    const names = [toText(name)]
    for (let at = directory; at !== this.#top; at = at.parent) {
      if (!at.parent || !this.#options.recursive) return undefined
      names.unshift(toText(at.name))
    }
    let path = this.path
    for (const [index, each] of names.entries()) {
      path = join(path, each)
      if (index < names.length - 1 && this.#isSkipped(path)) return undefined
    }
    return path
  }

  #isSkipped(path: string): boolean {
    return this.#options.skip?.(path) === true
  }
}

function join(path: string, name: string): string {
  return path === '/' ? `/${name}` : `${path}/${name}`
}

function tooLarge(path: string, limit: number, what: string): CarrelError {
  const message = `Cannot watch ${quote(path)}: it holds more than ${limit} ${what}; watch a part of it, or exclude some`
  return new CarrelError('limit_reached', message, { details: { limit } })
}
