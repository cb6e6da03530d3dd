import { Header } from 'tar'

/** Size of a block of a tar archive. */
export const blockBytes = 512
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
  const header = Buffer.alloc(blockBytes)
  const before = [
    ...(isShort(path) ? [] : [longName('NextFileHasLongPath', path)]),
    ...(isShort(target) ? [] : [longName('NextFileHasLongLinkpath', target)]),
  ]
  new Header({
    type,
    path: isShort(path) ? path.toString() : 'long',
    linkpath: isShort(target) ? target.toString() : 'long',
    mode,
    mtime,
    size,
  }).encode(header)
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

function longName(type: 'NextFileHasLongPath' | 'NextFileHasLongLinkpath', name: Buffer): Buffer {
  const header = Buffer.alloc(blockBytes)
  const size = name.length + 1
  new Header({ type, path: '././@LongLink', mode: 0o644, mtime: new Date(0), size }).encode(header)
  return Buffer.concat([header, name, Buffer.of(0), padding(size)])
}

const empty = Buffer.alloc(0)
