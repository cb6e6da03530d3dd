import { closeSync, constants, fstatSync, watch as watchInode, type FSWatcher } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import type { FileChange } from '../../driver.ts'
import { entryPath, O_PATH, type RootedDirectory } from './rooted.ts'
import { isTemporaryName } from './new-file.ts'

/** Changes that wait for a slow reader; beyond it they are dropped and an `overflow` says so. */
const maxQueued = 10_000
/** Directories that one watch looks at. */
const maxDirectories = 8_192

/**
 * Tells what changes under a directory, by inotify on each directory of the tree. A directory is held by descriptor,
 * so a link that is put in its place is not followed. Ends when `signal` aborts or the directory itself goes.
 */
export async function* watchDirectory(
  root: RootedDirectory,
  path: string,
  options: { recursive: boolean; signal: AbortSignal },
): AsyncIterable<FileChange> {
  if (options.signal.aborted) return
  const watch = new Watch(root, options.recursive)
  options.signal.addEventListener('abort', () => watch.end(), { once: true })
  try {
    await watch.begin(path.length > 1 ? path.replace(/\/+$/, '') : path)
    yield* watch.changes()
  } finally {
    watch.end()
  }
}

interface Watched {
  fd: number
  inodes: FSWatcher
  /** Entries that are known, by name: to tell a create from a change, and a rename from both. */
  names: Map<string, { ino: number; directory: boolean }>
}

class Watch {
  readonly #root: RootedDirectory
  readonly #recursive: boolean
  readonly #directories = new Map<string, Watched>()
  readonly #queue: FileChange[] = []
  #work: Promise<void> = Promise.resolve()
  #wake: (() => void) | undefined
  #ended = false
  #lookout: NodeJS.Timeout | undefined

  constructor(root: RootedDirectory, recursive: boolean) {
    this.#root = root
    this.#recursive = recursive
  }

  async *changes(): AsyncIterable<FileChange> {
    while (true) {
      const change = this.#queue.shift()
      if (change) yield change
      else if (this.#ended) return
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    clearInterval(this.#lookout)
    for (const path of [...this.#directories.keys()]) this.#drop(path)
    this.#wake?.()
  }

  /** Follows a link that the path itself is; links below it are entries like others. */
  async begin(path: string): Promise<void> {
    await this.#add(path, { follow: true })
    // The descriptor that is held on it keeps the kernel from telling that it was removed.
    this.#lookout = setInterval(() => {
      const top = this.#directories.get(path)
      if (!top || fstatSync(top.fd).nlink === 0) this.end()
    }, lookoutMs)
  }

  async #add(path: string, { announce = false, follow = false } = {}): Promise<void> {
    if (this.#ended || this.#directories.has(path)) return
    if (this.#directories.size >= maxDirectories) return this.#tell({ type: 'overflow', path, directory: true })
    const fd = this.#root.open(path, O_PATH | constants.O_DIRECTORY | (follow ? 0 : constants.O_NOFOLLOW))
    const inodes = watchInode(`/proc/self/fd/${fd}`, (kind, name) => this.#later(() => this.#look(path, kind, name)))
    inodes.on('error', () => this.#drop(path))
    const watched: Watched = { fd, inodes, names: new Map() }
    this.#directories.set(path, watched)
    for (const name of await readdir(`/proc/self/fd/${fd}`)) await this.#learn(path, watched, name, announce)
  }

  /** One event after the other, so that what is known of names is right. */
  #later(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch(() => {})
  }

  async #learn(path: string, watched: Watched, name: string, announce: boolean): Promise<void> {
    if (isTemporaryName(name)) return
    const stats = await lstat(entryPath(watched.fd, name)).catch(() => undefined)
    if (!stats || watched.names.has(name)) return
    const directory = stats.isDirectory()
    watched.names.set(name, { ino: stats.ino, directory })
    if (announce) this.#tell({ type: 'create', path: join(path, name), directory })
    if (directory && this.#recursive) await this.#add(join(path, name), { announce }).catch(() => {})
  }

  async #look(path: string, kind: string, name: string | null): Promise<void> {
    const watched = this.#directories.get(path)
    if (!watched || name === null || isTemporaryName(name)) return
    const known = watched.names.get(name)
    const stats = await lstat(entryPath(watched.fd, name)).catch(() => undefined)
    const at = join(path, name)
    if (!stats) return known && this.#gone(watched, name, at, known)
    if (known?.ino === stats.ino) {
      if (kind === 'change' && !known.directory) this.#tell({ type: 'modify', path: at, directory: false })
      return
    }
    const from = this.#findRenamed(stats.ino, at)
    if (!from) return known ? this.#replaced(watched, name, at, stats.ino) : this.#learn(path, watched, name, true)
    watched.names.set(name, { ino: stats.ino, directory: stats.isDirectory() })
    this.#tell({ type: 'rename', path: at, oldPath: from, directory: stats.isDirectory() })
    if (stats.isDirectory() && this.#recursive) await this.#add(at)
  }

  #replaced(watched: Watched, name: string, at: string, ino: number): void {
    watched.names.set(name, { ino, directory: false })
    this.#tell({ type: 'modify', path: at, directory: false })
  }

  #gone(watched: Watched, name: string, at: string, known: { ino: number; directory: boolean }): void {
    watched.names.delete(name)
    const pending = { at }
    this.#pendingRenames.set(known.ino, pending)
    setTimeout(() => {
      if (this.#pendingRenames.get(known.ino) !== pending) return
      this.#pendingRenames.delete(known.ino)
      if (known.directory) this.#drop(at)
      this.#tell({ type: 'delete', path: at, directory: known.directory })
    }, renameWaitMs)
  }

  readonly #pendingRenames = new Map<number, { at: string }>()

  #findRenamed(ino: number, at: string): string | undefined {
    const from = this.#pendingRenames.get(ino)?.at ?? this.#knownElsewhere(ino, at)
    this.#pendingRenames.delete(ino)
    if (from) this.#drop(from)
    return from
  }

  /** The event of the new name can come before that of the old one. */
  #knownElsewhere(ino: number, at: string): string | undefined {
    for (const [path, { names }] of this.#directories) {
      for (const [name, entry] of names) {
        if (entry.ino !== ino || join(path, name) === at || this.#exists(path, name)) continue
        names.delete(name)
        return join(path, name)
      }
    }
    return undefined
  }

  #exists(path: string, name: string): boolean {
    try {
      closeSync(this.#root.open(join(path, name), O_PATH | constants.O_NOFOLLOW))
      return true
    } catch {
      return false
    }
  }

  #drop(path: string): void {
    for (const [at, watched] of this.#directories) {
      if (at !== path && !at.startsWith(`${path}/`)) continue
      watched.inodes.close()
      closeSync(watched.fd)
      this.#directories.delete(at)
    }
  }

  #tell(change: FileChange): void {
    if (this.#ended) return
    if (this.#queue.length < maxQueued) this.#queue.push(change)
    else this.#queue[maxQueued - 1] = { type: 'overflow', path: change.path, directory: change.directory }
    this.#wake?.()
  }
}

function join(path: string, name: string): string {
  return path === '/' ? `/${name}` : `${path}/${name}`
}

const renameWaitMs = 50
const lookoutMs = 1000
