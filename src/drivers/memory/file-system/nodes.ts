/** An entry of a directory. Names are byte strings: one character for each byte. */
export type Node = FileNode | DirectoryNode | LinkNode | SpecialNode

export interface Attributes {
  mode: number
  uid: number
  gid: number
}

abstract class NamedNode {
  name = ''
  /** undefined for the root and for a removed node. */
  parent: DirectoryNode | undefined
  mode: number
  uid: number
  gid: number
  modifiedAtMs = Date.now()

  constructor({ mode, uid, gid }: Attributes) {
    this.mode = mode
    this.uid = uid
    this.gid = gid
  }

  /** The absolute path, as a byte string. */
  get path(): string {
    if (!this.parent) return '/'
    const above = this.parent.path
    return above === '/' ? `/${this.name}` : `${above}/${this.name}`
  }
}

/** A regular file. Its bytes are shared with its copies until one of them is written to. */
export class FileNode extends NamedNode {
  readonly kind = 'file'
  #bytes: Buffer = Buffer.alloc(0)
  #sizeBytes = 0
  #isShared = false

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** The contents; valid until the next write. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#sizeBytes)
  }

  /** Sets the contents to a buffer that is not changed any more. */
  set(bytes: Buffer): void {
    this.#bytes = bytes
    this.#sizeBytes = bytes.length
    this.#isShared = true
    this.modifiedAtMs = Date.now()
  }

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length
    if (this.#isShared || end > this.#bytes.length) this.#reallocate(end)
    if (position > this.#sizeBytes) this.#bytes.fill(0, this.#sizeBytes, position)
    this.#bytes.set(bytes, position)
    this.#sizeBytes = Math.max(this.#sizeBytes, end)
    this.modifiedAtMs = Date.now()
  }

  copy(): FileNode {
    const copy = new FileNode(this)
    copy.set(this.bytes)
    this.#isShared = true
    return copy
  }

  #reallocate(sizeBytes: number): void {
    const larger = Buffer.alloc(sizeBytes > this.#bytes.length ? Math.max(64, sizeBytes * 2) : this.#bytes.length)
    larger.set(this.bytes)
    this.#bytes = larger
    this.#isShared = false
  }
}

export class DirectoryNode extends NamedNode {
  readonly kind = 'directory'
  readonly entries = new Map<string, Node>()

  /** Puts a node into this directory without reporting an event. */
  put(name: string, node: Node): void {
    this.entries.set(name, node)
    node.name = name
    node.parent = this
  }

  /** Returns the entries in the order of their names' bytes. */
  sorted(): Node[] {
    return [...this.entries.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1))
  }

  copy(): DirectoryNode {
    const copy = new DirectoryNode(this)
    for (const [name, node] of this.entries) copy.put(name, copyOf(node))
    return copy
  }
}

export class LinkNode extends NamedNode {
  readonly kind = 'symlink'
  readonly target: string

  constructor(target: string, { uid, gid }: Omit<Attributes, 'mode'>) {
    super({ mode: 0o777, uid, gid })
    this.target = target
  }
}

/** A device or a FIFO. */
export class SpecialNode extends NamedNode {
  readonly kind = 'special'
  readonly device: 'null' | 'zero' | 'fifo'

  constructor(device: SpecialNode['device'], attributes: Attributes) {
    super(attributes)
    this.device = device
  }
}

function copyOf(node: Node): Node {
  const copy = copyWithoutTime(node)
  copy.modifiedAtMs = node.modifiedAtMs
  return copy
}

function copyWithoutTime(node: Node): Node {
  if (node.kind === 'symlink') return new LinkNode(node.target, node)
  if (node.kind === 'special') return new SpecialNode(node.device, node)
  return node.copy()
}
