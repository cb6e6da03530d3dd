/** What attributes say of an entry that its header has no room for. */
export interface TarAttributes {
  path?: Buffer
  target?: Buffer
  size?: number
}

/** Returns the attributes of a record of POSIX's pax format: lines of `<length of the line> <key>=<value>`. */
export function readAttributes(record: Buffer): TarAttributes {
  const found: TarAttributes = {}
  for (let at = 0; at < record.length;) {
    const space = record.indexOf(0x20, at)
    const length = space === -1 ? Number.NaN : Number(record.toString('latin1', at, space))
    const end = at + length
    const equals = record.indexOf(0x3d, space)
    if (!Number.isSafeInteger(length) || end > record.length || equals === -1 || equals >= end)
      throw new Error('Cannot unpack the folder: the data are not a tar stream')
    const key = record.toString('latin1', space + 1, equals)
    const value = Buffer.from(record.subarray(equals + 1, end - 1))
    if (key === 'path') found.path = value
    else if (key === 'linkpath') found.target = value
    else if (key === 'size') found.size = sizeOf(value)
    else if (key.startsWith('GNU.sparse.')) throw new Error('Cannot unpack the folder: it has a sparse file')
    at = end
  }
  return found
}

function sizeOf(value: Buffer): number {
  const size = /^\d+$/.test(value.toString('latin1')) ? Number(value.toString('latin1')) : Number.NaN
  if (!Number.isSafeInteger(size)) throw new Error('Cannot unpack the folder: a file has no valid size')
  return size
}
