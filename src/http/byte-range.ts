import { CarrelError } from '../errors.ts'

/**
 * Returns the byte range of a `Range` header (RFC 9110, section 14.2), end exclusive; undefined when the whole file is
 * to be sent. Several ranges also yield the whole file, as the RFC allows. Throws `range_not_satisfiable` when the
 * range is beyond the end of the file, or empty.
 */
export function parseRange(header: string | undefined, sizeBytes: number): { start: number; end: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '')
  if (!match || (match[1] === '' && match[2] === '')) return undefined
  const start = match[1] === '' ? Math.max(0, sizeBytes - Number(match[2])) : Number(match[1])
  const end = match[1] === '' || match[2] === '' ? sizeBytes : Math.min(Number(match[2]) + 1, sizeBytes)
  if (start >= sizeBytes || end <= start)
    throw new CarrelError('range_not_satisfiable', `Cannot read the range: the file has ${sizeBytes} bytes`, {
      details: { sizeBytes },
    })
  return { start, end }
}
