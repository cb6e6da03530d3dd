/** Writes a string of the SSH protocol (RFC 4251): its length in four bytes, and its bytes. */
export function field(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content as string)
  return Buffer.concat([uint32(bytes.length), bytes])
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

/** Returns the strings that follow each other in `bytes`; undefined when these are anything else. */
export function readFields(bytes: Buffer): Buffer[] | undefined {
  const fields: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    if (bytes.length - at < 4) return undefined
    const end = at + 4 + bytes.readUInt32BE(at)
    if (end > bytes.length || fields.length === maxFields) return undefined
    fields.push(bytes.subarray(at + 4, end))
    at = end
  }
  return fields
}

/** A key has at most four, with its type. */
const maxFields = 8
