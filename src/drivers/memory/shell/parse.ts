import { isWordEnd, WordParser, type ReadList } from './parse-words.ts'
import {
  SyntaxFault,
  type Command,
  type Item,
  type List,
  type Pipeline,
  type Redirection,
  type Word,
} from './syntax.ts'

/** Parses a script in the small grammar of this driver's shell. Throws a `SyntaxFault`. */
export function parseScript(source: string): List {
  return new Parser(new WordParser(source, readList)).script()
}

const readList: ReadList = (words, end) => new Parser(words).list(end)

const closing = new Set(['then', 'do', 'done', 'fi', 'else', 'elif', 'esac', '}'])

class Parser {
  readonly #words: WordParser
  /** Here documents whose text follows the current line. */
  readonly #pendingHereDocuments: { redirection: Redirection; end: string; isLiteral: boolean }[] = []

  constructor(words: WordParser) {
    this.#words = words
  }

  script(): List {
    const list = this.list('')
    if (this.#words.at < this.#words.source.length) this.#unexpected()
    return list
  }

  #unexpected(): never {
    const token = /^[;&|()<>]+|^\S+/.exec(this.#words.source.slice(this.#words.at))?.[0] ?? 'end of file'
    throw new SyntaxFault(`syntax error near unexpected token \`${token}'`)
  }

  #blanks(): void {
    const words = this.#words
    for (;;) {
      if (words.startsWith(' ') || words.startsWith('\t')) words.at++
      else if (words.startsWith('\\\n')) words.at += 2
      else if (words.startsWith('#')) words.at = endOfLine(words)
      else return
    }
  }

  #newlines(): void {
    for (this.#blanks(); this.#words.take('\n'); this.#blanks()) this.#hereDocuments()
  }

  #hereDocuments(): void {
    for (const { redirection, end, isLiteral } of this.#pendingHereDocuments.splice(0)) {
      let body = ''
      for (;;) {
        const { source, at } = this.#words
        const lineEnd = source.indexOf('\n', at)
        const line = source.slice(at, lineEnd === -1 ? source.length : lineEnd)
        this.#words.at = lineEnd === -1 ? source.length : lineEnd + 1
        if (line === end || (lineEnd === -1 && line === '')) break
        body += `${line}\n`
      }
      redirection.target = isLiteral
        ? [{ type: 'text', text: body, quoted: true }]
        : new WordParser(body, readList).quotedText()
    }
  }

  /** Returns the next word when it is unquoted and may be a reserved word. */
  #reserved(): string | undefined {
    const [word] = /^(\{|\}|![ \t]|[a-z]+)/.exec(this.#words.source.slice(this.#words.at, this.#words.at + 16)) ?? []
    if (word === undefined) return undefined
    const following = this.#words.source[this.#words.at + word.length] ?? ''
    return following === '' || isWordEnd(following) || word.startsWith('!') ? word.trim() : undefined
  }

  list(end: string): List {
    const items: Item[] = []
    for (this.#newlines(); !this.#isListEnd(end); this.#newlines()) {
      const item: Item = { pipelines: this.#andOr(), background: false }
      items.push(item)
      this.#blanks()
      if (!this.#words.startsWith('&&') && this.#words.take('&')) item.background = true
      else if (!this.#words.startsWith(';;') && this.#words.take(';')) continue
      else if (this.#words.next !== '\n') break
    }
    return items
  }

  #isListEnd(end: string): boolean {
    const { next } = this.#words
    if (next === '' || next === ')' || next === end || this.#words.startsWith(';;')) return true
    return closing.has(this.#reserved() ?? '')
  }

  #andOr(): Item['pipelines'] {
    const pipelines: Item['pipelines'] = [{ operator: undefined, pipeline: this.#pipeline() }]
    for (this.#blanks(); ; this.#blanks()) {
      const operator = this.#words.take('&&') ? '&&' : this.#words.take('||') ? '||' : undefined
      if (!operator) return pipelines
      this.#newlines()
      pipelines.push({ operator, pipeline: this.#pipeline() })
    }
  }

  #pipeline(): Pipeline {
    const negated = this.#reserved() === '!'
    if (negated) this.#words.at++
    this.#blanks()
    const commands = [this.#command()]
    for (this.#blanks(); !this.#words.startsWith('||') && this.#words.take('|'); this.#blanks()) {
      this.#newlines()
      commands.push(this.#command())
    }
    return { negated, commands }
  }

  #command(): Command {
    const command = this.#compound() ?? this.#simple()
    if (command.type === 'simple' || command.type === 'function') return command
    for (let found = this.#redirection(); found; found = this.#redirection()) command.redirections.push(found)
    return command
  }

  #compound(): Command | undefined {
    const redirections: Redirection[] = []
    if (this.#words.startsWith('((')) return this.#arithmetic(redirections)
    if (this.#words.take('(')) {
      const body = this.list(')')
      this.#expect(')')
      return { type: 'subshell', body, redirections }
    }
    const [, name] = /^([A-Za-z_:][\w:]*)[ \t]*\([ \t]*\)/.exec(this.#words.source.slice(this.#words.at)) ?? []
    if (name !== undefined) {
      this.#words.at = this.#words.source.indexOf(')', this.#words.at) + 1
      this.#newlines()
      return { type: 'function', name, body: this.#command(), redirections }
    }
    const reserved = this.#reserved()
    if (reserved === '{') {
      this.#words.at++
      const body = this.list('}')
      this.#expect('}')
      return { type: 'group', body, redirections }
    }
    if (reserved === 'if') return this.#if(redirections)
    if (reserved === 'while' || reserved === 'until') {
      this.#expect(reserved)
      const condition = this.list('')
      return { type: 'while', until: reserved === 'until', condition, body: this.#doneBody(), redirections }
    }
    if (reserved === 'for') return this.#for(redirections)
    if (reserved === 'case') return this.#case(redirections)
    return closing.has(reserved ?? '') ? this.#unexpected() : undefined
  }

  #expect(token: string): void {
    this.#newlines()
    if (!this.#words.take(token)) this.#unexpected()
  }

  #doneBody(): List {
    this.#expect('do')
    const body = this.list('')
    this.#expect('done')
    return body
  }

  #if(redirections: Redirection[]): Command {
    const branches: { condition: List; body: List }[] = []
    let otherwise: List | undefined
    this.#expect('if')
    do {
      const condition = this.list('')
      this.#expect('then')
      branches.push({ condition, body: this.list('') })
      this.#newlines()
    } while (this.#words.take('elif'))
    if (this.#words.take('else')) otherwise = this.list('')
    this.#expect('fi')
    return { type: 'if', branches, otherwise, redirections }
  }

  #for(redirections: Redirection[]): Command {
    this.#expect('for')
    this.#blanks()
    const [name = ''] = /^\w+/.exec(this.#words.source.slice(this.#words.at)) ?? []
    this.#words.at += name.length
    this.#newlines()
    let words: Word[] | undefined
    if (this.#reserved() === 'in') {
      this.#words.at += 2
      words = this.#wordsOfLine()
    }
    this.#blanks()
    this.#words.take(';')
    return { type: 'for', name, words, body: this.#doneBody(), redirections }
  }

  #wordsOfLine(): Word[] {
    const words: Word[] = []
    for (this.#blanks(); this.#words.next !== '' && !isWordEnd(this.#words.next); this.#blanks())
      words.push(this.#words.word())
    return words
  }

  #case(redirections: Redirection[]): Command {
    this.#expect('case')
    this.#blanks()
    const word = this.#words.word()
    this.#newlines()
    this.#expect('in')
    const branches: { patterns: Word[]; body: List }[] = []
    for (this.#newlines(); this.#reserved() !== 'esac'; this.#newlines()) {
      this.#words.take('(')
      const patterns: Word[] = []
      do {
        this.#blanks()
        patterns.push(this.#words.word())
        this.#blanks()
      } while (this.#words.take('|'))
      this.#expect(')')
      branches.push({ patterns, body: this.list('') })
      this.#newlines()
      this.#words.take(';;')
    }
    this.#expect('esac')
    return { type: 'case', word, branches, redirections }
  }

  #arithmetic(redirections: Redirection[]): Command {
    const end = this.#words.source.indexOf('))', this.#words.at)
    if (end === -1) this.#unexpected()
    const inside = new WordParser(this.#words.source.slice(this.#words.at + 2, end), readList)
    this.#words.at = end + 2
    return { type: 'arithmetic', expression: inside.quotedText(), redirections }
  }

  #simple(): Command {
    const command: Command & { type: 'simple' } = { type: 'simple', assignments: [], words: [], redirections: [] }
    for (this.#blanks(); ; this.#blanks()) {
      const redirection = this.#redirection()
      if (redirection) command.redirections.push(redirection)
      else if (this.#words.next === '' || isWordEnd(this.#words.next)) break
      else this.#wordOf(command)
    }
    const { assignments, words, redirections } = command
    if (assignments.length + words.length + redirections.length === 0) this.#unexpected()
    return command
  }

  #wordOf(command: Command & { type: 'simple' }): void {
    const [, name] = /^([A-Za-z_]\w*)=/.exec(this.#words.source.slice(this.#words.at, this.#words.at + 256)) ?? []
    if (command.words.length > 0 || name === undefined) return void command.words.push(this.#words.word())
    this.#words.at += name.length + 1
    command.assignments.push({ name, value: this.#words.word() })
  }

  #redirection(): Redirection | undefined {
    this.#blanks()
    const [all, number = '', found] =
      /^(\d*)(&>|<<<|<<-?|>>|>\||<&|>&|<|>)/.exec(this.#words.source.slice(this.#words.at, this.#words.at + 8)) ?? []
    if (all === undefined || found === undefined || (found === '&>' && number !== '')) return undefined
    this.#words.at += all.length
    const operator = found === '>|' ? '>' : found === '<<-' ? '<<' : (found as Redirection['operator'])
    this.#blanks()
    const target = this.#words.word()
    const redirection: Redirection = { operator, number: numberOf(number, operator), target }
    if (operator === '<<') {
      const end = target.map((part) => (part.type === 'text' ? part.text : '')).join('')
      const isLiteral = target.some((part) => part.type === 'text' && part.quoted)
      this.#pendingHereDocuments.push({ redirection, end, isLiteral })
    }
    return redirection
  }
}

function endOfLine({ source, at }: WordParser): number {
  const end = source.indexOf('\n', at)
  return end === -1 ? source.length : end
}

function numberOf(number: string, operator: Redirection['operator']): number {
  if (number !== '') return Number(number)
  return operator.startsWith('<') ? 0 : 1
}
