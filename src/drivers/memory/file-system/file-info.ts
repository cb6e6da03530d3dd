import { isUtf8 } from 'node:buffer'
import type { FileInfo } from '../../driver.ts'
import { toText } from './byte-strings.ts'
import type { Node } from './nodes.ts'

/** Describes a node as an entry of the directory with this path, which ends with a slash. */
export function entryInfo(node: Node, prefix: string): FileInfo {
  const bytes = Buffer.from(node.name, 'latin1')
  const name = toText(node.name)
  return {
    ...describe(node, name, prefix + name),
    ...(isUtf8(bytes) ? {} : { nameBytes: bytes }),
    ...(node.kind === 'symlink' ? { target: toText(node.target) } : {}),
  }
}

export function describe(node: Node, name: string, path: string): FileInfo {
  return {
    name,
    path,
    type: node.kind === 'special' ? 'other' : node.kind,
    sizeBytes: node.kind === 'file' ? node.sizeBytes : node.kind === 'symlink' ? node.target.length : 0,
    mode: node.mode,
    uid: node.uid,
    gid: node.gid,
    modifiedAtMs: node.modifiedAtMs,
  }
}
