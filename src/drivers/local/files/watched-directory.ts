/** A directory of a watched tree. Its path follows from its place, so that a rename above it costs nothing. */
export class WatchedDirectory {
  parent: WatchedDirectory | undefined
  name: string
  /** Its number in the inotify queue; undefined while it could not be opened. */
  watch: number | undefined
  /** When it was opened by its name, in Unix milliseconds. */
  enteredAtMs = 0
  /** All entries by name; those that are directories of the tree have one of these. */
  readonly entries = new Map<string, WatchedDirectory | undefined>()

  /** `name` is the whole path where there is no parent. */
  constructor(name: string, parent?: WatchedDirectory) {
    this.name = name
    this.parent = parent
  }

  get path(): string {
    if (!this.parent) return this.name
    return joinPath(this.parent.path, this.name)
  }

  /** Below the top of the tree; empty for the top itself. */
  get relativePath(): string {
    return this.parent ? `${this.parent.relativePath}/${this.name}` : ''
  }

  pathOf(name: string): string {
    return joinPath(this.path, name)
  }

  /** What is known of below: paths, and whether each is a directory of the tree. */
  *below(): Generator<{ path: string; directory: boolean }> {
    for (const each of this.all())
      for (const [name, node] of each.entries) yield { path: each.pathOf(name), directory: node !== undefined }
  }

  /** Itself and all below. */
  *all(): Generator<WatchedDirectory> {
    const left: WatchedDirectory[] = [this]
    for (let directory = left.pop(); directory; directory = left.pop()) {
      yield directory
      for (const entry of directory.entries.values()) if (entry) left.push(entry)
    }
  }
}

function joinPath(path: string, name: string): string {
  return path === '/' ? `/${name}` : `${path}/${name}`
}
