import type { Slices } from './slices.ts'

/** Returns the UTF-8 bytes of a text of any length, made in slices. No piece of the text ends inside a character. */
export async function bytesOf(pieces: readonly string[], slices: Slices): Promise<Buffer> {
  const [first = ''] = pieces
  if (pieces.length <= 1 && first.length <= partLength) return Buffer.from(first)
  let length = 0
  for (const part of parts(pieces)) {
    length += Buffer.byteLength(part)
    if (slices.isOver) await slices.next()
  }
  const bytes = Buffer.allocUnsafe(length)
  let at = 0
  for (const part of parts(pieces)) {
    at += bytes.write(part, at)
    if (slices.isOver) await slices.next()
  }
  return bytes
}

/** Yields parts of the pieces that are short enough to be handled in one go. */
function* parts(pieces: readonly string[]): Generator<string> {
  for (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      const end = Math.min(at + partLength, piece.length)
      // A part never ends between the halves of a surrogate pair.
      const stop = (piece.charCodeAt(end - 1) & 0xfc00) === 0xd800 ? Math.min(end + 1, piece.length) : end
      yield at === 0 && stop === piece.length ? piece : piece.slice(at, stop)
      at = stop
    }
  }
}

/**
 * Returns the bytes of a base64 text, decoded in slices; undefined if any of it is not valid base64. White space is
 * skipped, and the padding may be missing.
 */
export async function bytesOfBase64(pieces: readonly string[], slices: Slices): Promise<Buffer | undefined> {
  const [first = ''] = pieces
  if (pieces.length <= 1 && first.length <= partLength) return bytesOfShortBase64(first)
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const bytes = Buffer.allocUnsafe(Math.ceil((length * 3) / 4))
  let at = 0
  /** Digits that do not form whole bytes yet, and the padding, which ends the text. */
  let rest = ''
  for (const part of parts(pieces)) {
    const digits = rest + part.replace(/\s+/g, '')
    const whole = digits.includes('=') ? 0 : digits.length - (digits.length % 4)
    // Text after the padding makes the rest too long, which is refused here.
    if (digits.length - whole > partLength * 2) return undefined
    if (!/^[A-Za-z0-9+/]*$/.test(digits.slice(0, whole))) return undefined
    at += bytes.write(digits.slice(0, whole), at, 'base64')
    rest = digits.slice(whole)
    if (slices.isOver) await slices.next()
  }
  const last = bytesOfShortBase64(rest)
  if (!last) return undefined
  at += last.copy(bytes, at)
  return bytes.subarray(0, at)
}

/** Returns the bytes of a short base64 text, decoded in one go, under the same rules as `bytesOfBase64`. */
export function bytesOfShortBase64(text: string): Buffer | undefined {
  const compact = text.replace(/\s+/g, '')
  const [, digits] = /^([A-Za-z0-9+/]*)={0,2}$/.exec(compact) ?? []
  // One digit alone is no byte, and padding fills a group of four.
  const isWhole =
    digits !== undefined && digits.length % 4 !== 1 && (digits.length === compact.length || compact.length % 4 === 0)
  return isWhole ? Buffer.from(compact, 'base64') : undefined
}

const partLength = 256 * 1024
