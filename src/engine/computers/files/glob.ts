import { CarrelError } from '../../../errors.ts'

/** One component of a pattern: `**`, or the parts that one name has to match. */
type Segment = '**' | Part[]
type Part = '*' | '?' | string[] | { characters: Set<string>; ranges: [string, string][]; negated: boolean }

/**
 * A glob over paths: `*` and `?` within a name, `**` over any number of directories, `[abc]`, `[!a-z]`, `{a,b}`, and
 * `\` before a character that is meant literally. Names that begin with a dot are matched like others.
 *
 * It does not use regular expressions, as libraries for globs do: they take seconds for `*a*a*a*a*b` on a path of 120
 * letters, and any client may send a pattern. Here the work is bounded by the pattern's length times the path's.
 */
export class Glob {
  readonly #alternatives: Segment[][]

  /** Throws `invalid_request` for an invalid pattern. */
  constructor(pattern: string) {
    this.#alternatives = expandBraces(pattern).map((each) => parse(each, pattern))
  }

  /** Returns whether a path matches. `path` neither begins nor ends with a slash. */
  matches(path: string): boolean {
    const names = path.split('/').map((name) => Array.from(name))
    return this.#alternatives.some((segments) => matchPath(segments, names))
  }
}

/** Only the last `**` needs backtracking, as an earlier one has already matched as little as it can. */
function matchPath(segments: Segment[], names: string[][]): boolean {
  return matchStarred(segments, names, (segment) => segment === '**', matchName)
}

function matchName(segment: Segment, name: string[]): boolean {
  return segment !== '**' && matchStarred(segment, name, (part) => part === '*', matchCharacter)
}

function matchStarred<P, T>(
  pattern: P[],
  text: T[],
  isStar: (part: P) => boolean,
  matchOne: (part: P, item: T) => boolean,
): boolean {
  let [at, read, starAt, starRead] = [0, 0, -1, 0]
  while (read < text.length) {
    const part = pattern[at]
    if (part !== undefined && isStar(part)) {
      ;[starAt, starRead] = [at, read]
      at++
    } else if (part !== undefined && matchOne(part, text[read]!)) {
      at++
      read++
    } else if (starAt >= 0) {
      at = starAt + 1
      read = ++starRead
    } else {
      return false
    }
  }
  while (at < pattern.length && isStar(pattern[at]!)) at++
  return at === pattern.length
}

function matchCharacter(part: Part, character: string): boolean {
  if (part === '?') return true
  if (typeof part === 'string') return false
  if (Array.isArray(part)) return part[0] === character
  const found =
    part.characters.has(character) || part.ranges.some(([first, last]) => first <= character && character <= last)
  return found !== part.negated
}

function parse(text: string, pattern: string): Segment[] {
  return splitUnescaped(text, '/')
    .filter((segment) => segment !== '')
    .map((segment) => (segment === '**' ? '**' : parseName(Array.from(segment), pattern)))
}

function parseName(characters: string[], pattern: string): Part[] {
  const parts: Part[] = []
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!
    if (character === '*') {
      if (parts.at(-1) !== '*') parts.push('*')
    } else if (character === '?') parts.push('?')
    else if (character === '[') {
      const end = endOfClass(characters, at)
      if (end < 0) throw invalid(pattern, 'a "[" has no "]"; write "\\[" for the character')
      parts.push(parseClass(characters.slice(at + 1, end)))
      at = end
    } else if (character === '\\' && at + 1 < characters.length) parts.push([characters[++at]!])
    else parts.push([character])
  }
  return parts
}

/** Returns the index of the closing bracket. A `]` that comes first is one of the characters. */
function endOfClass(characters: string[], start: number): number {
  const first = characters[start + 1] === '!' || characters[start + 1] === '^' ? start + 3 : start + 2
  return characters.indexOf(']', first)
}

function parseClass(inside: string[]): Part {
  const negated = inside[0] === '!' || inside[0] === '^'
  const listed = negated ? inside.slice(1) : inside
  const ranges: [string, string][] = []
  const characters = new Set<string>()
  for (let at = 0; at < listed.length; at++) {
    if (listed[at + 1] === '-' && at + 2 < listed.length) {
      ranges.push([listed[at]!, listed[at + 2]!])
      at += 2
    } else characters.add(listed[at]!)
  }
  return { characters, ranges, negated }
}

/**
 * Returns the patterns that a pattern with braces stands for: `a{b,c}` is `ab` and `ac`. A brace without a comma in it
 * is a literal character.
 */
function expandBraces(pattern: string): string[] {
  const done: string[] = []
  const pending = [pattern]
  for (let text = pending.pop(); text !== undefined; text = pending.pop()) {
    const brace = findBrace(text)
    if (!brace) done.push(text)
    else {
      const [before, after] = [text.slice(0, brace.start), text.slice(brace.end + 1)]
      for (const choice of splitUnescaped(text.slice(brace.start + 1, brace.end), ',').toReversed())
        pending.push(before + choice + after)
    }
    if (done.length + pending.length > maxAlternatives)
      throw invalid(pattern, `its braces stand for more than ${maxAlternatives} patterns`)
  }
  return done
}

function findBrace(text: string): { start: number; end: number } | undefined {
  for (const start of unescaped(text, '{')) {
    let depth = 0
    for (let at = start; at < text.length; at++) {
      if (text[at] === '\\') at++
      else if (text[at] === '{') depth++
      else if (text[at] === '}' && --depth === 0) {
        if (splitUnescaped(text.slice(start + 1, at), ',').length > 1) return { start, end: at }
        break
      }
    }
  }
  return undefined
}

/** Splits at separators that are not escaped; at commas only outside braces. */
function splitUnescaped(text: string, separator: string): string[] {
  const parts: string[] = []
  let begin = 0
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '{') depth++
    else if (text[at] === '}') depth--
    else if (text[at] === separator && (depth <= 0 || separator === '/')) {
      parts.push(text.slice(begin, at))
      begin = at + 1
    }
  }
  return [...parts, text.slice(begin)]
}

function* unescaped(text: string, character: string): Generator<number> {
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === character) yield at
  }
}

function invalid(pattern: string, why: string): CarrelError {
  return new CarrelError('invalid_request', `Cannot use pattern ${JSON.stringify(pattern.slice(0, 200))}: ${why}`)
}

const maxAlternatives = 256
