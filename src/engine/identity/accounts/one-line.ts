import { limits } from '../../../config/limits.ts'

/**
 * What somebody is called elsewhere, such as at an issuer, as it is shown here: one line, trimmed, without signs that are not seen or
 * that turn the direction of what stands around them, and no longer than one may choose.
 */
export function oneLine(text: string): string {
  const line = text.replace(unseen, ' ').trim()
  return Array.from(line).slice(0, limits.nameLength).join('').trim()
}

/** Those two join and part letters within a word. */
const unseen = /(?:(?![\u200c\u200d])[\p{C}\s])+/gu
