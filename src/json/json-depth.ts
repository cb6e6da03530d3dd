/** Whether lists and objects of some JSON lie deeper in one another than that. Nothing is made of it, and it need not be valid. */
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

/** Where the text ends that begins at a place, or all of it. */
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
