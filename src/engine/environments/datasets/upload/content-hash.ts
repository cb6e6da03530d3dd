import { createHash } from 'node:crypto'
import { closeSync, constants, lstatSync, openSync, readSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

export interface TreeEntry {
  /** Relative to the folder. */
  path: string
  kind: 'file' | 'folder' | 'link'
  isExecutable: boolean
}

/** Returns everything below a folder, in the order of the names. Links are not followed. */
export function entriesOf(root: string, place = ''): TreeEntry[] {
  return readdirSync(join(root, place))
    .toSorted()
    .flatMap((name) => {
      const path = place ? `${place}/${name}` : name
      const stats = lstatSync(join(root, path))
      const kind = stats.isDirectory() ? 'folder' : stats.isSymbolicLink() ? 'link' : 'file'
      const entry: TreeEntry = { path, kind, isExecutable: kind === 'file' && (stats.mode & 0o100) !== 0 }
      return kind === 'folder' ? [entry, ...entriesOf(root, path)] : [entry]
    })
}

/** Returns the SHA-256 of names, kinds, execute bits and contents, hex: what makes a version, without times and owners. */
export function contentHash(root: string, entries: readonly TreeEntry[]): string {
  const hash = createHash('sha256').update('carrel task 1\n')
  const buffer = Buffer.allocUnsafe(256 * 1024)
  for (const { path, kind, isExecutable } of entries) {
    hash.update(`${JSON.stringify([kind, path, isExecutable])}\n`)
    if (kind === 'link') hash.update(`${JSON.stringify(readlinkSync(join(root, path)))}\n`)
    if (kind === 'file') hash.update(fileHash(join(root, path), buffer))
  }
  return hash.digest('hex')
}

function fileHash(path: string, buffer: Buffer): Buffer {
  const hash = createHash('sha256')
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    for (let bytes = 1; bytes > 0;) {
      bytes = readSync(file, buffer)
      hash.update(buffer.subarray(0, bytes))
    }
  } finally {
    closeSync(file)
  }
  return hash.digest()
}
