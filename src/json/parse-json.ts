import type { Slices } from '../slices.ts'
import { keepPieces, longTextLength } from './text-pieces.ts'

export interface JsonBounds {
  /** Values in total, including those in lists and objects: each takes some ten times the memory of its two bytes. */
  values: number
  /** Nesting of lists and objects. */
  depth: number
  /** Keys of one object: the engine lists them in one go, which takes a millisecond for a thousand or two. */
  keys: number
  /** Characters of one key: code that reads keys handles each as a whole. */
  keyLength: number
}

/** The reason why some JSON is not accepted. */
export class JsonError extends Error {
  readonly kind: 'syntax' | 'prototype' | 'unicode' | 'bounds'
  /** The path of the value that is not valid Unicode, such as `files.0.content`. */
  readonly field: string

  constructor(kind: JsonError['kind'], message: string, field = '') {
    super(message)
    this.name = 'JsonError'
    this.kind = kind
    this.field = field
  }
}

/**
 * Parses JSON in slices and within bounds. Returns what `JSON.parse` returns, and the number of values. Throws a
 * `JsonError` for invalid JSON, exceeded bounds, keys that reach into a prototype, and unpaired surrogates.
 */
export async function parseJson(
  bytes: Uint8Array,
  bounds: JsonBounds,
  slices: Slices,
): Promise<{ value: unknown; values: number }> {
  const reader = new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), bounds)
  while (!reader.step()) if (slices.isOver) await slices.next()
  return { value: reader.value, values: reader.values }
}

/** Parses short JSON in one go, under the same rules as `parseJson`. */
export function parseShortJson(bytes: Buffer, bounds: JsonBounds): { value: unknown; values: number } {
  const reader = new Reader(bytes, bounds)
  while (!reader.step());
  return { value: reader.value, values: reader.values }
}

type Open = unknown[] | Record<string, unknown>
type Expects = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end' | 'nothing'

/** Reads a bounded part with each step, so that the clock can be checked often. */
class Reader {
  value: unknown
  values = 0
  readonly #bytes: Buffer
  readonly #bounds: JsonBounds
  readonly #open: Open[] = []
  /** The current key of each open object, '' for a list. */
  readonly #keys: string[] = []
  /** The number of keys of each so far. */
  readonly #counts: number[] = []
  #at = 0
  #expects: Expects = 'value'
  /** The text being read: a rope of pieces, which the engine does not flatten until its characters are read. */
  #text: string | undefined
  /** The pieces of the same text, if it has more than one. */
  #pieces: string[] = []

  constructor(bytes: Buffer, bounds: JsonBounds) {
    this.#bytes = bytes
    this.#bounds = bounds
    // A byte order mark is skipped, as in small bodies.
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.#at = 3
  }

  /** Reads the next part. Returns whether everything has been read. */
  step(): boolean {
    for (let count = 0; count < tokensInStep; count++) {
      if (this.#text !== undefined) {
        this.#readText()
        return false
      }
      if (!this.#skipSpace()) return false
      if (this.#at === this.#bytes.length) {
        if (this.#expects === 'nothing') return true
        throw this.#wrong()
      }
      this.#readToken(this.#bytes[this.#at]!)
    }
    return false
  }

  #readToken(byte: number): void {
    switch (this.#expects) {
      case 'nothing':
        throw this.#wrong()
      case 'colon':
        if (byte !== colon) throw this.#wrong()
        this.#at++
        this.#expects = 'value'
        return
      case 'comma or end':
        if (byte === comma) {
          this.#at++
          this.#expects = Array.isArray(this.#open.at(-1)) ? 'value' : 'key'
        } else this.#close(byte)
        return
      case 'key':
      case 'key or end':
        if (byte === quote) this.#beginText()
        else if (this.#expects === 'key or end') this.#close(byte)
        else throw this.#wrong()
        return
      case 'value or end':
        if (byte === closeBracket) return this.#close(byte)
        return this.#readValue(byte)
      case 'value':
        return this.#readValue(byte)
    }
  }

  #readValue(byte: number): void {
    if (++this.values > this.#bounds.values)
      throw new JsonError('bounds', `it has more than ${this.#bounds.values} values`)
    if (byte === quote) return this.#beginText()
    if (byte === openBrace || byte === openBracket) {
      if (this.#open.length === this.#bounds.depth)
        throw new JsonError('bounds', `it nests more than ${this.#bounds.depth} deep`)
      this.#at++
      this.#open.push(byte === openBrace ? {} : [])
      this.#keys.push('')
      this.#counts.push(0)
      this.#expects = byte === openBrace ? 'key or end' : 'value or end'
      return
    }
    this.#take(this.#readWord())
  }

  #close(byte: number): void {
    const inner = this.#open.at(-1)
    if (byte !== (Array.isArray(inner) ? closeBracket : closeBrace)) throw this.#wrong()
    this.#at++
    this.#open.pop()
    this.#keys.pop()
    this.#counts.pop()
    this.#take(inner)
  }

  /** Stores a complete value in the list or object that contains it. */
  #take(value: unknown, pieces?: readonly string[]): void {
    const outer = this.#open.at(-1)
    if (!outer) this.value = value
    else if (Array.isArray(outer)) {
      if (pieces) keepPieces(outer, String(outer.length), pieces)
      outer.push(value)
    } else {
      const key = this.#keys.at(-1)!
      if (pieces) keepPieces(outer, key, pieces)
      if (key === 'constructor' && typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype'))
        throw new JsonError('prototype', 'it has a key "constructor" with a "prototype" in it')
      outer[key] = value
    }
    this.#expects = outer ? 'comma or end' : 'nothing'
  }

  /** Reads a number, or `true`, `false` or `null`. */
  #readWord(): unknown {
    const start = this.#at
    let end = start
    while (end < this.#bytes.length && end - start <= maxWordBytes && isOfWord(this.#bytes[end]!)) end++
    const word = this.#bytes.toString('latin1', start, end)
    if (word === 'true' || word === 'false' || word === 'null' || number.test(word)) {
      this.#at = end
      return JSON.parse(word) as unknown
    }
    throw this.#wrong()
  }

  #beginText(): void {
    this.#at++
    this.#text = ''
  }

  /** Continues reading a text, up to its end or the end of the step. */
  #readText(): void {
    const bytes = this.#bytes
    const start = this.#at
    const limit = Math.min(start + textInStep, bytes.length)
    let end = start
    let hasEscapes = false
    let byte = 0
    while (end < limit && (byte = bytes[end]!) !== quote) {
      if (byte < 0x20) throw this.#wrong()
      if (byte === backslash) {
        hasEscapes = true
        end += bytes[end + 1] === letterU ? 6 : 2
      } else end++
    }
    if (end > bytes.length || (end === bytes.length && byte !== quote)) throw this.#wrong()
    const isEnd = end < limit && byte === quote
    if (!isEnd) end = beforeCharacter(bytes, start, end)
    const piece = hasEscapes ? this.#unescaped(start, end) : bytes.toString('utf8', start, end)
    this.#at = end
    this.#addText(piece, isEnd)
    if (isEnd) this.#endText()
  }

  #unescaped(start: number, end: number): string {
    try {
      return JSON.parse(`"${this.#bytes.toString('utf8', start, end)}"`) as string
    } catch {
      throw this.#wrong()
    }
  }

  /** Adds a piece to the text. The first half of a surrogate pair at its end waits for the other half. */
  #addText(piece: string, isEnd: boolean): void {
    const text = this.#half + piece
    const isHalf = !isEnd && (text.charCodeAt(text.length - 1) & 0xfc00) === 0xd800
    const whole = isHalf ? text.slice(0, -1) : text
    this.#half = isHalf ? text.slice(-1) : ''
    const isKey = this.#expects === 'key' || this.#expects === 'key or end'
    if (!whole.isWellFormed()) {
      const path = isKey ? this.#path.slice(0, -1) : this.#path
      throw new JsonError('unicode', 'it is not valid Unicode', path.join('.'))
    }
    this.#text! += whole
    if (isKey && this.#text!.length > this.#bounds.keyLength)
      throw new JsonError('bounds', `it has a key of more than ${this.#bounds.keyLength} characters`)
    if (!isEnd || this.#pieces.length > 0) this.#pieces.push(whole)
  }

  #half = ''

  get #path(): string[] {
    return this.#open.map((each, depth) => (Array.isArray(each) ? String(each.length) : this.#keys[depth]!))
  }

  #endText(): void {
    const text = this.#text!
    const pieces = this.#pieces
    this.#text = undefined
    if (pieces.length > 0) this.#pieces = []
    this.#at++
    if (this.#expects !== 'key' && this.#expects !== 'key or end')
      return this.#take(text, text.length > longTextLength ? pieces : undefined)
    if (text === '__proto__') throw new JsonError('prototype', 'it has a key "__proto__"')
    this.#keys[this.#keys.length - 1] = text
    if (++this.#counts[this.#counts.length - 1]! > this.#bounds.keys)
      throw new JsonError('bounds', `an object in it has more than ${this.#bounds.keys} keys`)
    this.#expects = 'colon'
  }

  /** Skips white space. Returns false if more of it may follow. */
  #skipSpace(): boolean {
    const limit = Math.min(this.#at + textInStep, this.#bytes.length)
    while (this.#at < limit && isSpace(this.#bytes[this.#at]!)) this.#at++
    return this.#at < limit || limit === this.#bytes.length
  }

  #wrong(): JsonError {
    return new JsonError('syntax', `syntax error at byte ${this.#at}`)
  }
}

/** Returns the start of the UTF-8 character that contains `place`, or `place` itself between two characters. */
function beforeCharacter(bytes: Buffer, start: number, place: number): number {
  let at = place
  while (at > start && place - at < 3 && (bytes[at]! & 0xc0) === 0x80) at--
  return bytes[at]! >= 0xc0 ? at : place
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

/** Returns whether a byte can be part of a number or a literal: letters, digits, signs and the point. */
function isOfWord(byte: number): boolean {
  const isSign = byte === 0x2b || byte === 0x2d || byte === 0x2e
  return isSign || (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x7a) || byte === 0x45
}

const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
/** Length of a number that is read in one go. Further digits mean nothing, but are allowed. */
const maxWordBytes = 256 * 1024
const tokensInStep = 64
const textInStep = 64 * 1024
const quote = 0x22
const backslash = 0x5c
const letterU = 0x75
const colon = 0x3a
const comma = 0x2c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
