import { limits } from '../../../config/limits.ts'

/**
 * Returns a name from elsewhere, such as an issuer, in the form that is shown here: one trimmed line, without invisible
 * characters or ones that change the direction of the text around them, cut to `limits.nameLength`.
 */
export function oneLine(text: string): string {
  const line = text.replace(invisible, ' ').trim()
  return Array.from(line).slice(0, limits.nameLength).join('').trim()
}

/** U+200C and U+200D are kept: they separate and join letters within a word. */
const invisible = /(?:(?![\u200c\u200d])[\p{C}\s])+/gu
