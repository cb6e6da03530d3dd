/**
 * Returns whether the lists and objects of some JSON nest deeper than `depth`, without parsing it. The JSON need not be
 * valid.
 */
export function nestsDeeper(bytes: Buffer, depth: number): boolean {
  let open = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === quote) at = endOfText(bytes, at)
    else if (byte === openBracket || byte === openBrace) {
      if (++open > depth) return true
    } else if (byte === closeBracket || byte === closeBrace) open--
  }
  return false
}

/** Returns the index of the quote that ends the string beginning at `start`, or an index past the end if none does. */
function endOfText(bytes: Buffer, start: number): number {
  let at = start + 1
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1
  return at
}

const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
