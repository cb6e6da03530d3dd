import type { FileInfo, FilePage, ListOptions } from '../../driver.ts'
import { entryInfo } from './file-info.ts'
import type { DirectoryNode } from './nodes.ts'

/** Returns a page of a directory's entries, in the order of their names' bytes. */
export async function listDirectory(directory: DirectoryNode, path: string, options: ListOptions): Promise<FilePage> {
  const { limit, maxBytes, after, beforeLarge } = options
  const prefix = path.endsWith('/') ? path : `${path}/`
  if (directory.entries.size > fewEntries) await beforeLarge?.()
  const start = after?.toString('latin1')
  const wanted = directory.sorted().filter(({ name }) => start === undefined || name > start)
  const entries: FileInfo[] = []
  let bytes = 0
  for (const [index, node] of wanted.entries()) {
    const info = entryInfo(node, prefix)
    entries.push(info)
    bytes += 2 * Buffer.byteLength(info.path) + (info.target?.length ?? 0)
    const isFull = bytes >= maxBytes || entries.length >= limit
    if (isFull && index < wanted.length - 1) return { entries, next: Buffer.from(node.name, 'latin1') }
  }
  return { entries }
}

const fewEntries = 1024
