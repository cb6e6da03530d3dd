import { limits } from '../config/limits.ts'

/** The patterns of strings in requests, each with the words in which a refusal describes it: "it must …". */
export const patterns = {
  usDollars: { source: '^(usd|USD)$', words: 'be usd' },
  page: { source: '^[1-9]\\d{0,6}$', words: 'be a whole number from 1 to 9999999' },
  usageHistoryLines: {
    source: '^([1-9]\\d?|100)$',
    words: `be a whole number from 1 to ${limits.usageHistoryLines}`,
  },
  days: { source: '^[1-9]\\d{0,2}$', words: 'be a whole number from 1 to 999' },
  datasetName: {
    source: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
    words: 'begin with a letter from A to Z or a digit, and contain only those and . _ -',
  },
  samplesPerPage: { source: '^([1-9]\\d?|100)$', words: `be a whole number from 1 to ${limits.samplesPerPage}` },
  processName: { source: '^[A-Za-z0-9._:-]+$', words: 'contain only letters from A to Z, digits, . _ : -' },
  dnsLabel: {
    source: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$',
    words: 'contain only lower-case letters, digits and hyphens, and begin and end with a letter or digit',
  },
  listCursor: { source: '^[A-Za-z0-9_-]+$', words: 'be a cursor from an earlier list' },
  workspaceName: {
    source: String.raw`^[\p{L}\p{N}][\p{L}\p{M}\p{N} .,'&()_\-]*$`,
    words: `begin with a letter or digit, and contain only letters, digits, spaces, . , ' & ( ) _ -`,
  },
  waitSeconds: { source: '^([12]?\\d|30)$', words: 'be a whole number from 0 to 30' },
  withoutNul: { source: '^[^\\u0000]*$', words: 'contain no NUL character' },
  /** Text of one line without half characters. U+200C and U+200D occur within Persian words and emoji. */
  printable: {
    source: String.raw`^(?:[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|[\u200c\u200d])*$`,
    words: 'be printable text on one line, without control characters and invisible characters',
  },
  /** Names that are shown to other users. */
  name: {
    source: String.raw`^(?:[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|[\u200c\u200d])*$`,
    words: 'be one line, without control characters and invisible characters',
  },
} as const

/** The words for formats. */
const formats: Record<string, string> = { email: 'be an e-mail address' }

const wordsBySource = new Map<string, string>(Object.values(patterns).map(({ source, words }) => [source, words]))

/** Returns the words that complete "it must …" for a pattern; undefined for an unknown one. */
export function patternWords(source: string): string | undefined {
  return wordsBySource.get(source)
}

export function formatWords(format: string): string | undefined {
  return Object.hasOwn(formats, format) ? formats[format] : undefined
}
