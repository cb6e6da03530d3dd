import { blockBytes, encodeHeader } from './tar-header.ts'

/** Maximum length of a name in a header; a longer name has a separate record before it. */
const nameBytes = 100

export interface TarEntry {
  type: 'File' | 'Directory' | 'SymbolicLink' | 'Link'
  /** Names are bytes: on Linux they need not be text. */
  path: Buffer
  /** Target of a link. */
  target?: Buffer
  mode: number
  mtime: Date
  /** Size of a file. */
  size: number
}

/** Returns the blocks before the content of an entry, as GNU tar writes them. */
export function headerOf({ type, path, target = empty, mode, mtime, size }: TarEntry): Buffer {
  const before = [
    ...(isShort(path) ? [] : [longName('LongPath', path)]),
    ...(isShort(target) ? [] : [longName('LongTarget', target)]),
  ]
  const header = encodeHeader({
    kind: type,
    path: isShort(path) ? path : elsewhere,
    target: isShort(target) ? target : elsewhere,
    mode,
    mtime,
    size,
  })
  return Buffer.concat([...before, header])
}

/** Returns the zeros that fill the last block of a content. */
export function padding(size: number): Buffer {
  return Buffer.alloc((blockBytes - (size % blockBytes)) % blockBytes)
}

/** The end of an archive. */
export const endOfArchive = Buffer.alloc(2 * blockBytes)

/** Returns whether every tar writes the same bytes for a name. */
function isShort(name: Buffer): boolean {
  return name.length < nameBytes && name.every((byte) => byte < 0x80)
}

function longName(kind: 'LongPath' | 'LongTarget', name: Buffer): Buffer {
  const size = name.length + 1
  const path = Buffer.from('././@LongLink')
  const header = encodeHeader({ kind, path, target: empty, mode: 0o644, mtime: new Date(0), size })
  return Buffer.concat([header, name, Buffer.of(0), padding(size)])
}

const empty = Buffer.alloc(0)
/** Stands where the name would be that a record before the header has. */
const elsewhere = Buffer.from('long')
