import { SyntaxFault, type List, type Word, type WordPart } from './syntax.ts'

/** Parses commands from a parser's position up to a character that ends them. */
export type ReadList = (words: WordParser, end: string) => List

/** Parses words: text, quotes, and everything that begins with `$`. */
export class WordParser {
  readonly source: string
  at = 0
  readonly #list: ReadList

  constructor(source: string, list: ReadList) {
    this.source = source
    this.#list = list
  }

  get next(): string {
    return this.source[this.at] ?? ''
  }

  startsWith(text: string): boolean {
    return this.source.startsWith(text, this.at)
  }

  take(text: string): boolean {
    if (!this.startsWith(text)) return false
    this.at += text.length
    return true
  }

  fail(what: string): never {
    throw new SyntaxFault(`syntax error: ${what}`)
  }

  /** Parses a word to its end; in braces, to the closing brace. */
  word(inBraces = false): Word {
    const parts: Word = []
    while (this.at < this.source.length) {
      const { next } = this
      if (inBraces ? next === '}' : isWordEnd(next)) break
      if (next === "'") parts.push(text(this.#singleQuoted(), true))
      else if (next === '"') parts.push(...this.#doubleQuoted())
      else if (this.take("$'")) parts.push(text(this.#ansiQuoted(), true))
      else if (next === '$' || next === '`') parts.push(this.#dollar(false))
      else if (next === '\\') {
        this.at++
        if (this.take('\n')) continue
        parts.push(text(this.next, true))
        this.at++
      } else parts.push(text(this.#plain(inBraces), false))
    }
    return parts
  }

  /** Parses the body of a here document or an arithmetic expression as in double quotes, to the end of the source. */
  quotedText(): Word {
    return this.#quotedParts(() => this.at >= this.source.length)
  }

  #plain(inBraces: boolean): string {
    const start = this.at
    const isEnd = (one: string) => '\'"$`\\'.includes(one) || (inBraces ? one === '}' : isWordEnd(one))
    while (this.at < this.source.length && !isEnd(this.next)) this.at++
    return this.source.slice(start, this.at)
  }

  #singleQuoted(): string {
    const end = this.source.indexOf("'", this.at + 1)
    if (end === -1) this.fail("unexpected end of file while looking for matching `''")
    const inside = this.source.slice(this.at + 1, end)
    this.at = end + 1
    return inside
  }

  #ansiQuoted(): string {
    const start = this.at
    while (this.at < this.source.length && this.next !== "'") this.at += this.next === '\\' ? 2 : 1
    const inside = this.source.slice(start, this.at++)
    return unescape(inside)
  }

  #doubleQuoted(): Word {
    this.at++
    const parts = this.#quotedParts(() => this.next === '"')
    this.at++
    // `""` is an empty word.
    return parts.length > 0 ? parts : [text('', true)]
  }

  #quotedParts(isEnd: () => boolean): Word {
    const parts: Word = []
    let plain = ''
    while (!isEnd()) {
      if (this.at >= this.source.length) this.fail('unexpected end of file while looking for matching `"\'')
      if (this.next === '\\' && '$`"\\\n'.includes(this.source[this.at + 1] ?? 'x')) {
        if (this.source[this.at + 1] !== '\n') plain += this.source[this.at + 1]
        this.at += 2
      } else if (this.next === '$' || this.next === '`') {
        if (plain !== '') parts.push(text(plain, true))
        plain = ''
        parts.push(this.#dollar(true))
      } else plain += this.source[this.at++]
    }
    if (plain !== '') parts.push(text(plain, true))
    return parts
  }

  #dollar(quoted: boolean): WordPart {
    if (this.take('$((')) return { type: 'arithmetic', expression: this.#arithmetic(), quoted }
    if (this.take('$(')) return { type: 'command', body: this.#commands(), quoted }
    if (this.take('`')) return this.#backquoted(quoted)
    if (this.take('${')) return this.#braced(quoted)
    const [, name] = /^\$([A-Za-z_]\w*|[0-9@*#?$!-])/.exec(this.source.slice(this.at, this.at + 256)) ?? []
    this.at += 1 + (name?.length ?? 0)
    return name === undefined ? text('$', quoted) : { type: 'parameter', name, operator: '', word: [], quoted }
  }

  /** Parses what follows `$((`, to its end. */
  #arithmetic(): Word {
    const start = this.at
    for (let depth = 0; this.at < this.source.length; this.at++) {
      if (this.next === '(') depth++
      else if (this.next === ')' && depth-- === 0 && this.startsWith('))')) break
    }
    const inside = new WordParser(this.source.slice(start, this.at), this.#list)
    this.at += 2
    return inside.quotedText()
  }

  #commands(): List {
    const body = this.#list(this, ')')
    if (!this.take(')')) this.fail("unexpected end of file while looking for matching `)'")
    return body
  }

  #backquoted(quoted: boolean): WordPart {
    const end = this.source.indexOf('`', this.at)
    if (end === -1) this.fail("unexpected end of file while looking for matching ``'")
    const body = this.#list(new WordParser(this.source.slice(this.at, end), this.#list), '')
    this.at = end + 1
    return { type: 'command', body, quoted }
  }

  /** Parses what follows `${`. */
  #braced(quoted: boolean): WordPart {
    const isLength = this.startsWith('#') && /^#[\w@*]/.test(this.source.slice(this.at, this.at + 2)) && this.take('#')
    const [name] = /^(\w+|[@*#?$!-])/.exec(this.source.slice(this.at, this.at + 256)) ?? []
    if (name === undefined) this.fail('bad substitution')
    this.at += name.length
    const [operator = ''] = /^(:?[-=+?]|##?|%%?|\/\/?|:)/.exec(this.source.slice(this.at, this.at + 2)) ?? []
    this.at += operator.length
    const word = this.word(true)
    if (!this.take('}')) this.fail('bad substitution')
    return { type: 'parameter', name, operator: isLength ? 'length' : operator, word, quoted }
  }
}

function text(text: string, quoted: boolean): WordPart {
  return { type: 'text', text, quoted }
}

export function isWordEnd(one: string): boolean {
  return ' \t\n;&|()<>'.includes(one)
}

/** Replaces the backslash escapes of `$'...'`, `printf` and `echo -e`. */
export function unescape(text: string): string {
  return text.replaceAll(
    /\\(x[0-9A-Fa-f]{1,2}|0?[0-7]{1,3}|[abefnrtv\\'"])/g,
    (_, found: string) =>
      escapes[found] ??
      String.fromCharCode(
        (found.startsWith('x') ? Number.parseInt(found.slice(1), 16) : Number.parseInt(found, 8)) & 255,
      ),
  )
}

const escapes: Record<string, string> = {
  a: '\u0007',
  b: '\b',
  e: '\u001b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
}
