/** Size of a block of a tar archive. */
export const blockBytes = 512

/**
 * What an entry is, by the character that its header has for it: POSIX's, with its records of attributes for the next
 * entry and for all of them, and GNU tar's for names that are too long.
 */
const kinds = {
  '0': 'File',
  '1': 'Link',
  '2': 'SymbolicLink',
  '3': 'Device',
  '4': 'Device',
  '5': 'Directory',
  '6': 'Pipe',
  '7': 'File',
  '\0': 'File',
  K: 'LongTarget',
  L: 'LongPath',
  x: 'Attributes',
  g: 'CommonAttributes',
} as const

export type TarKind = (typeof kinds)[keyof typeof kinds]
/** The kinds that are written, each of which has one character. */
type WrittenKind = Exclude<TarKind, 'Device' | 'Pipe' | 'Attributes' | 'CommonAttributes'>

export interface TarHeader<Kind> {
  kind: Kind
  /** Names are bytes: on Linux they need not be text. */
  path: Buffer
  /** Target of a link. */
  target: Buffer
  mode: number
  mtime: Date
  /** Bytes of content that follow. */
  size: number
}

const characters: Record<WrittenKind, string> = {
  File: '0',
  Link: '1',
  SymbolicLink: '2',
  Directory: '5',
  LongTarget: 'K',
  LongPath: 'L',
}

/** Returns a header. `path` and `target` have to be shorter than 100 bytes. */
export function encodeHeader({ kind, path, target, mode, mtime, size }: TarHeader<WrittenKind>): Buffer {
  const block = Buffer.alloc(blockBytes)
  path.copy(block, 0)
  writeNumber(block, 100, 8, mode)
  writeNumber(block, 124, 12, size)
  writeNumber(block, 136, 12, Math.floor(mtime.getTime() / 1000))
  block.write(characters[kind], 156)
  target.copy(block, 157)
  block.write('ustar\u000000', 257)
  writeNumber(block, 148, 8, checksum(block))
  return block
}

/**
 * Returns what a header says; undefined for the block of zeros after the last entry. Throws if the block is no header,
 * or one of an unknown kind.
 */
export function decodeHeader(block: Buffer): TarHeader<TarKind> | undefined {
  if (!block.some((byte) => byte !== 0)) return undefined
  const size = readNumber(block, 124, 12) ?? 0
  if (readNumber(block, 148, 8) !== checksum(block) || size < 0)
    throw new Error('Cannot unpack the folder: the data are not a tar stream')
  const character = block.toString('latin1', 156, 157)
  if (!isKnown(character)) throw new Error(`Cannot unpack the folder: it has an entry of the kind "${character}"`)
  const kind = kinds[character]
  const mtime = new Date((readNumber(block, 136, 12) ?? 0) * 1000)
  return {
    kind,
    path: pathAt(block),
    target: nameAt(block, 157, 100),
    mode: readNumber(block, 100, 8) ?? 0o644,
    mtime: Number.isNaN(mtime.getTime()) ? new Date(0) : mtime,
    size: kind === 'Directory' ? 0 : size,
  }
}

function isKnown(character: string): character is keyof typeof kinds {
  return Object.hasOwn(kinds, character)
}

/**
 * Returns the path of an entry. POSIX has the beginning of a longer path in a separate field, where GNU tar has times.
 */
function pathAt(block: Buffer): Buffer {
  const name = nameAt(block, 0, 100)
  const isPosix = block.toString('latin1', 257, 263) === 'ustar\0'
  const prefix = isPosix ? nameAt(block, 345, 155) : name.subarray(0, 0)
  return prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name])
}

function nameAt(block: Buffer, offset: number, length: number): Buffer {
  const field = block.subarray(offset, offset + length)
  const end = field.indexOf(0)
  return Buffer.from(end === -1 ? field : field.subarray(0, end))
}

/** Returns the sum of a header's bytes, for which the field of the sum itself counts as spaces. */
function checksum(block: Buffer): number {
  let sum = 8 * 0x20
  for (const [at, byte] of block.entries()) if (at < 148 || at >= 156) sum += byte
  return sum
}

/** Writes octal digits, or the binary number that GNU tar has for what does not fit or is negative. */
function writeNumber(block: Buffer, offset: number, length: number, value: number): void {
  const digits = value.toString(8)
  if (value >= 0 && digits.length < length) {
    block.write(`${digits.padStart(length - 1, '0')}\0`, offset, 'latin1')
    return
  }
  block.fill(value < 0 ? 0xff : 0, offset, offset + length)
  block.writeBigInt64BE(BigInt(value), offset + length - 8)
  if (value >= 0) block[offset] = 0x80
}

/** Returns the number of a field; undefined if the field is empty, or the number is too large to be exact. */
function readNumber(block: Buffer, offset: number, length: number): number | undefined {
  const first = block[offset] ?? 0
  if (first === 0x80 || first === 0xff) {
    // The size and the time have four bytes more than a number of 64 bits, which repeat its sign.
    const value = Number(block.readBigInt64BE(offset + length - 8))
    return length === 12 && Number.isSafeInteger(value) ? value : undefined
  }
  const [digits] = /^[0-7]+/.exec(block.toString('latin1', offset, offset + length).trimStart()) ?? []
  return digits === undefined ? undefined : Number.parseInt(digits, 8)
}
