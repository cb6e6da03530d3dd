/** A directory of a watched tree. Its path is derived from its parents, so that a rename above it costs nothing. */
export class WatchedDirectory {
  parent: WatchedDirectory | undefined
  name: string
  /** Its number in the inotify queue; undefined while it cannot be opened. */
  watch: number | undefined
  /** When it was opened by its path, in Unix milliseconds. */
  enteredAtMs = 0
  /** All entries by name. Those that are directories of the tree have a value. */
  readonly entries = new Map<string, WatchedDirectory | undefined>()

  /** Without a parent, `name` is the whole path. */
  constructor(name: string, parent?: WatchedDirectory) {
    this.name = name
    this.parent = parent
  }

  get path(): string {
    if (!this.parent) return this.name
    return joinPath(this.parent.path, this.name)
  }

  /** The path below the top of the tree; empty for the top itself. */
  get relativePath(): string {
    return this.parent ? `${this.parent.relativePath}/${this.name}` : ''
  }

  pathOf(name: string): string {
    return joinPath(this.path, name)
  }

  /** Yields the known paths below the directory, and whether each is a directory of the tree. */
  *below(): Generator<{ path: string; directory: boolean }> {
    for (const each of this.all())
      for (const [name, node] of each.entries) yield { path: each.pathOf(name), directory: node !== undefined }
  }

  /** Yields the directory itself and all directories below it. */
  *all(): Generator<WatchedDirectory> {
    const pending: WatchedDirectory[] = [this]
    for (let directory = pending.pop(); directory; directory = pending.pop()) {
      yield directory
      for (const entry of directory.entries.values()) if (entry) pending.push(entry)
    }
  }
}

function joinPath(path: string, name: string): string {
  return path === '/' ? `/${name}` : `${path}/${name}`
}
