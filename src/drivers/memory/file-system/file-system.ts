import { FileSystemError } from './file-system-error.ts'
import { DirectoryNode, FileNode, LinkNode, type Attributes, type Node, type SpecialNode } from './nodes.ts'

/** A change of one name, reported synchronously. */
export type FileSystemEvent =
  | { type: 'create' | 'modify'; directory: DirectoryNode; name: string; node: Node }
  | { type: 'delete'; directory: DirectoryNode; name: string; node: Node }
  | {
      type: 'rename'
      from: { directory: DirectoryNode; name: string }
      directory: DirectoryNode
      name: string
      node: Node
      replaced: boolean
    }

/** Where a path leads: an entry of a directory that exists, or one that could be created. */
export interface Place {
  directory: DirectoryNode
  name: string
  /** undefined where nothing exists yet. */
  node: Node | undefined
}

/**
 * The files of one computer. Paths are absolute byte strings. The quota counts only the bytes of files. Permissions are
 * not checked: every user may do everything.
 */
export class FileSystem {
  readonly root: DirectoryNode
  /** Changes when the computer gets another size. */
  limitBytes: number
  #usedBytes: number
  readonly #listeners = new Set<(event: FileSystemEvent) => void>()

  /** @param usedBytes what the initial files hold beyond those of the image, which do not count */
  constructor(root: DirectoryNode, limitBytes: number, usedBytes: number) {
    this.root = root
    this.limitBytes = limitBytes
    this.#usedBytes = usedBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  onEvent(listener: (event: FileSystemEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Returns the node at a path. Throws `ENOENT`, `ENOTDIR` or `ELOOP`. */
  find(path: string, follow = true): Node {
    const { node } = this.place(path, follow)
    if (!node) throw new FileSystemError('ENOENT')
    return node
  }

  /** Returns the node at a path; undefined when it cannot be found, for whatever reason. */
  lookUp(path: string, follow = true): Node | undefined {
    try {
      return this.place(path, follow).node
    } catch {
      return undefined
    }
  }

  directory(path: string): DirectoryNode {
    const node = this.find(path)
    if (node.kind !== 'directory') throw new FileSystemError('ENOTDIR')
    return node
  }

  /**
   * Returns the place of a path. Follows symbolic links within the root; a link at the end only with `follow` or a
   * trailing slash.
   */
  place(path: string, follow = true): Place {
    const pending = path.split('/').filter(Boolean).toReversed()
    const mustFollow = follow || path.endsWith('/')
    let directory = this.root
    let links = 0
    while (pending.length > 0) {
      const name = pending.pop()!
      if (name.length > maxNameBytes) throw new FileSystemError('ENAMETOOLONG')
      if (name === '.') continue
      if (name === '..') {
        directory = directory.parent ?? directory
        continue
      }
      const node = directory.entries.get(name)
      const isLast = pending.length === 0
      if (node?.kind === 'symlink' && (!isLast || mustFollow)) {
        if (++links > maxLinks) throw new FileSystemError('ELOOP')
        if (node.target.startsWith('/')) directory = this.root
        pending.push(...node.target.split('/').filter(Boolean).toReversed())
        if (isLast && pending.length === 0) return placeOf(directory)
        continue
      }
      if (isLast) {
        if (node && node.kind !== 'directory' && path.endsWith('/')) throw new FileSystemError('ENOTDIR')
        return { directory, name, node }
      }
      if (!node) throw new FileSystemError('ENOENT')
      if (node.kind !== 'directory') throw new FileSystemError('ENOTDIR')
      directory = node
    }
    return placeOf(directory)
  }

  /** Creates a regular file, or returns the file or device that exists. Throws for anything else. */
  openForWriting(path: string, attributes: Attributes): FileNode | SpecialNode {
    const { directory, name, node } = this.place(path)
    if (node?.kind === 'directory') throw new FileSystemError('EISDIR')
    if (node?.kind === 'file' || node?.kind === 'special') return node
    if (path.endsWith('/')) throw new FileSystemError('EISDIR')
    return this.add(directory, name, new FileNode(attributes))
  }

  /** Throws `EDQUOT` when the bytes do not fit. */
  write(node: FileNode, bytes: Uint8Array, position: number): void {
    this.#reserve(Math.max(0, position + bytes.length - node.sizeBytes))
    node.write(bytes, position)
    this.modified(node)
  }

  /** Replaces the contents of a file in one step. Throws `EDQUOT` when the bytes do not fit. */
  replace(node: FileNode, bytes: Buffer): void {
    if (bytes.length === 0 && node.sizeBytes === 0) return
    this.#reserve(bytes.length - node.sizeBytes)
    node.set(bytes)
    this.modified(node)
  }

  modified(node: Node): void {
    const { parent: directory, name } = node
    if (directory && node.kind !== 'directory') this.#emit({ type: 'modify', directory, name, node })
  }

  /** Adds a new node to a directory. Throws `EEXIST`. */
  add<T extends Node>(directory: DirectoryNode, name: string, node: T): T {
    if (name.length > maxNameBytes) throw new FileSystemError('ENAMETOOLONG')
    if (directory.entries.has(name)) throw new FileSystemError('EEXIST')
    this.#reserve(bytesOf(node))
    directory.put(name, node)
    directory.modifiedAtMs = Date.now()
    this.#emit({ type: 'create', directory, name, node })
    return node
  }

  /** Creates the missing directories of a path; existing ones stay as they are. */
  makeDirectories(path: string, attributes: Attributes): DirectoryNode {
    let directory = this.root
    let walked = ''
    for (const name of path.split('/').filter(Boolean)) {
      walked += `/${name}`
      const place = this.place(walked)
      const node = place.node ?? this.add(place.directory, place.name, new DirectoryNode(attributes))
      if (node.kind !== 'directory') throw new FileSystemError('ENOTDIR')
      directory = node
    }
    return directory
  }

  makeLink(path: string, target: string, attributes: Omit<Attributes, 'mode'>): void {
    const { directory, name, node } = this.place(path, false)
    if (node) throw new FileSystemError('EEXIST')
    this.add(directory, name, new LinkNode(target, attributes))
  }

  /** Removes a node. With `recursive`, removes a directory with its contents, innermost first. */
  remove(node: Node, recursive: boolean): void {
    const { parent: directory, name } = node
    if (!directory) throw new FileSystemError('EBUSY')
    if (node.kind === 'directory') {
      if (node.entries.size > 0 && !recursive) throw new FileSystemError('ENOTEMPTY')
      for (const entry of node.sorted()) this.remove(entry, true)
    }
    directory.entries.delete(name)
    directory.modifiedAtMs = Date.now()
    this.#usedBytes -= bytesOf(node)
    this.#emit({ type: 'delete', directory, name, node })
    node.parent = undefined
  }

  /** Renames as `rename(2)` does: replaces what exists at the new place, where that is allowed. */
  rename(node: Node, directory: DirectoryNode, name: string): void {
    const from = { directory: node.parent, name: node.name }
    if (!from.directory) throw new FileSystemError('EBUSY')
    if (name.length > maxNameBytes) throw new FileSystemError('ENAMETOOLONG')
    const existing = directory.entries.get(name)
    if (existing === node) return
    if (node.kind === 'directory' && isWithin(directory, node)) throw new FileSystemError('EINVAL')
    if (existing) this.#replaceExisting(existing, node)
    from.directory.entries.delete(from.name)
    directory.put(name, node)
    this.#emit({
      type: 'rename',
      from: { directory: from.directory, name: from.name },
      directory,
      name,
      node,
      replaced: existing !== undefined,
    })
  }

  #replaceExisting(existing: Node, node: Node): void {
    if (existing.kind === 'directory') {
      if (node.kind !== 'directory') throw new FileSystemError('EISDIR')
      if (existing.entries.size > 0) throw new FileSystemError('ENOTEMPTY')
    } else if (node.kind === 'directory') throw new FileSystemError('ENOTDIR')
    this.#usedBytes -= bytesOf(existing)
    existing.parent = undefined
  }

  #reserve(bytes: number): void {
    if (bytes > 0 && this.#usedBytes + bytes > this.limitBytes) throw new FileSystemError('EDQUOT')
    this.#usedBytes += bytes
  }

  #emit(event: FileSystemEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}

/** Returns whether a directory is another one, or below it. */
export function isWithin(directory: DirectoryNode, other: DirectoryNode): boolean {
  for (let at: DirectoryNode | undefined = directory; at; at = at.parent) if (at === other) return true
  return false
}

function placeOf(directory: DirectoryNode): Place {
  return { directory: directory.parent ?? directory, name: directory.name, node: directory }
}

function bytesOf(node: Node): number {
  return node.kind === 'file' ? node.sizeBytes : 0
}

const maxLinks = 40
const maxNameBytes = 255
