import type { Slices } from './slices.ts'

/** The bytes of a text in UTF-8; those of a long one in slices. */
export async function bytesOf(text: string, slices: Slices): Promise<Buffer> {
  if (text.length <= partLength) return Buffer.from(text)
  const bytes = Buffer.allocUnsafe(Buffer.byteLength(text))
  let length = 0
  for (let at = 0; at < text.length;) {
    const end = Math.min(at + partLength, text.length)
    // Not between the halves of a character.
    const stop = (text.charCodeAt(end - 1) & 0xfc00) === 0xd800 ? Math.min(end + 1, text.length) : end
    length += bytes.write(text.slice(at, stop), length)
    at = stop
    if (slices.isOver) await slices.next()
  }
  return bytes
}

/**
 * The bytes of a text in base64; undefined when it is none that would be read in full. White space is passed over, and the padding may be left
 * out.
 */
export async function bytesOfBase64(text: string, slices: Slices): Promise<Buffer | undefined> {
  const parts: Buffer[] = []
  let rest = ''
  let at = 0
  for (; text.length - at > partLength; at += partLength) {
    const digits = rest + text.slice(at, at + partLength).replace(/\s+/g, '')
    if (!/^[A-Za-z0-9+/]*$/.test(digits)) return undefined
    const whole = digits.length - (digits.length % 4)
    parts.push(Buffer.from(digits.slice(0, whole), 'base64'))
    rest = digits.slice(whole)
    if (slices.isOver) await slices.next()
  }
  const last = bytesOfShortBase64(rest + text.slice(at))
  return last && (parts.length === 0 ? last : Buffer.concat([...parts, last]))
}

/** The same of a short one, in one go. */
export function bytesOfShortBase64(text: string): Buffer | undefined {
  const compact = text.replace(/\s+/g, '')
  const [, digits] = /^([A-Za-z0-9+/]*)={0,2}$/.exec(compact) ?? []
  // One digit is no byte; where there is padding, it fills up four.
  const isWhole =
    digits !== undefined && digits.length % 4 !== 1 && (digits.length === compact.length || compact.length % 4 === 0)
  return isWhole ? Buffer.from(compact, 'base64') : undefined
}

const partLength = 256 * 1024
