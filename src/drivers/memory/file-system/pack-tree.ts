import { damaged } from '../../snapshot-stream/damaged.ts'
import { DirectoryNode, FileNode, LinkNode, SpecialNode, type Node } from './nodes.ts'

/** A node without its bytes, which follow it. The nodes of a directory come after it, and name it by its number. */
interface PackedNode {
  kind: Node['kind']
  name: string
  /** The number of the directory in the order in which nodes are packed; the root has 0. */
  parent: number
  mode: number
  uid: number
  gid: number
  modifiedAtMs: number
  target?: string
  device?: SpecialNode['device']
  sizeBytes?: number
}

/** Yields each node of a tree as the length of its description (32 bits), its description in JSON, and its bytes. */
export async function* packTree(root: DirectoryNode): AsyncGenerator<Buffer> {
  const numbers = new Map<DirectoryNode, number>()
  const pending: { node: Node; parent: number }[] = [{ node: root, parent: 0 }]
  for (const { node, parent } of pending) {
    const json = Buffer.from(JSON.stringify(describe(node, parent)))
    const length = Buffer.alloc(4)
    length.writeUInt32BE(json.length)
    yield Buffer.concat([length, json])
    if (node.kind === 'file' && node.sizeBytes > 0) yield Buffer.from(node.bytes)
    if (node.kind !== 'directory') continue
    numbers.set(node, numbers.size)
    pending.push(...node.sorted().map((entry) => ({ node: entry, parent: numbers.get(node)! })))
  }
}

function describe(node: Node, parent: number): PackedNode {
  const { name, mode, uid, gid, modifiedAtMs } = node
  const common: PackedNode = { kind: node.kind, name, parent, mode, uid, gid, modifiedAtMs }
  if (node.kind === 'file') return { ...common, sizeBytes: node.sizeBytes }
  if (node.kind === 'symlink') return { ...common, target: node.target }
  return node.kind === 'special' ? { ...common, device: node.device } : common
}

/** Returns the tree that `packTree` has packed. Throws `invalid_request` for anything else. */
export async function unpackTree(content: AsyncIterable<Buffer>): Promise<DirectoryNode> {
  const bytes = Buffer.concat(await Array.fromAsync(content))
  const directories: DirectoryNode[] = []
  for (let at = 0; at < bytes.length;) {
    const start = at + 4
    const end = start + (start > bytes.length ? 0 : bytes.readUInt32BE(at))
    const packed = parse(bytes.subarray(start, end))
    at = end + (packed.sizeBytes ?? 0)
    if (at > bytes.length) throw damaged('it is no tree of files')
    const node = Object.assign(nodeOf(packed, bytes.subarray(end, at)), { modifiedAtMs: packed.modifiedAtMs })
    if (directories.length > 0) parentOf(packed, directories).put(packed.name, node)
    if (node.kind === 'directory') directories.push(node)
  }
  if (!directories[0]) throw damaged('it has no root')
  return directories[0]
}

function parse(json: Buffer): PackedNode {
  try {
    return JSON.parse(json.toString()) as PackedNode
  } catch (error) {
    throw damaged('it is no tree of files', error)
  }
}

function nodeOf(packed: PackedNode, bytes: Buffer): Node {
  if (packed.kind === 'directory') return new DirectoryNode(packed)
  if (packed.kind === 'symlink') return new LinkNode(packed.target ?? '', packed)
  if (packed.kind === 'special') return new SpecialNode(packed.device ?? 'null', packed)
  const file = new FileNode(packed)
  file.set(Buffer.from(bytes))
  return file
}

function parentOf({ parent, name }: PackedNode, directories: DirectoryNode[]): DirectoryNode {
  const directory = directories[parent]
  if (!directory || directory.entries.has(name) || name.includes('/') || ['', '.', '..'].includes(name))
    throw damaged('it is no tree of files')
  return directory
}
