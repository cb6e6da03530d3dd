import { limits } from '../config/limits.ts'

/** What texts of requests have to be like, each with what a refusal says of it: "it must …". */
export const patterns = {
  usDollars: { source: '^(usd|USD)$', words: 'be usd' },
  page: { source: '^[1-9]\\d{0,6}$', words: 'be a whole number from 1 to 9999999' },
  usageHistoryLines: {
    source: '^([1-9]\\d?|100)$',
    words: `be a whole number from 1 to ${limits.usageHistoryLines}`,
  },
  days: { source: '^[1-9]\\d{0,2}$', words: 'be a whole number from 1 to 999' },
  sessionName: { source: '^[A-Za-z0-9._:@-]*$', words: 'be made of letters from A to Z, digits, . _ : @ -' },
  processName: { source: '^[A-Za-z0-9._:-]+$', words: 'be made of letters from A to Z, digits, . _ : -' },
  listCursor: { source: '^[A-Za-z0-9_-]+$', words: 'be a cursor that came with a list' },
  workspaceName: {
    source: String.raw`^[\p{L}\p{N}][\p{L}\p{M}\p{N} .,'&()_\-]*$`,
    words: `begin with a letter or digit, and be made of letters, digits, spaces, . , ' & ( ) _ -`,
  },
  /** What is shown to others. U+200C and U+200D are parts of words, in Persian and in emoji. */
  name: {
    source: String.raw`^(?:[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|[\u200c\u200d])*$`,
    words: 'be one line, without control characters and signs that are not seen',
  },
} as const

/** The same for formats. */
const formats: Record<string, string> = { email: 'be an e-mail address' }

const wordsBySource = new Map<string, string>(Object.values(patterns).map(({ source, words }) => [source, words]))

/** "it must …", in words; undefined for one that has none. */
export function patternWords(source: string): string | undefined {
  return wordsBySource.get(source)
}

export function formatWords(format: string): string | undefined {
  return Object.hasOwn(formats, format) ? formats[format] : undefined
}
