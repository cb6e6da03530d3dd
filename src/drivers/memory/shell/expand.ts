import { evaluate } from './arithmetic.ts'
import { expandBraces, matchesPattern, matchingPaths, patternExpression } from './patterns.ts'
import type { Shell } from './shell.ts'
import type { List, Word, WordPart } from './syntax.ts'

interface Piece {
  text: string
  quoted: boolean
}

/** Expands the words of a command: braces, variables, splitting and file names. */
export async function expandWords(shell: Shell, words: Word[]): Promise<string[]> {
  const expanded: string[] = []
  for (const word of words.flatMap(withBraces))
    for (const field of await fieldsOf(shell, word)) expanded.push(...withFileNames(shell, field))
  return expanded
}

/** Expands a word to one text, without splitting or file names: a value, or the file of a redirection. */
export async function expandText(shell: Shell, word: Word): Promise<string> {
  const fields = await fieldsOf(shell, word, false)
  return fields.map((pieces) => pieces.map(({ text }) => text).join('')).join(' ')
}

/** Expands a word to a pattern in which quoted text is literal. */
export async function expandPattern(shell: Shell, word: Word): Promise<string> {
  const fields = await fieldsOf(shell, word, false)
  return fields.map((pieces) => pieces.map(asPattern).join('')).join(' ')
}

function withBraces(word: Word): Word[] {
  const index = word.findIndex((part) => part.type === 'text' && !part.quoted && part.text.includes('{'))
  const part = word[index]
  if (part?.type !== 'text') return [word]
  return expandBraces(part.text).map((text) => word.with(index, { ...part, text }))
}

async function fieldsOf(shell: Shell, word: Word, splits = true): Promise<Piece[][]> {
  const fields: Piece[][] = []
  let current: Piece[] | undefined
  const add = (piece: Piece) => void (current ??= []).push(piece)
  const end = () => {
    if (current) fields.push(current)
    current = undefined
  }
  for (const [index, part] of word.entries()) {
    if (part.type === 'text') {
      add({ text: index === 0 && !part.quoted ? withHome(shell, part.text) : part.text, quoted: part.quoted })
    } else if (part.type === 'parameter' && part.name === '@' && part.quoted && part.operator === '') {
      for (const [number, text] of shell.positional.entries()) {
        if (number > 0) end()
        add({ text, quoted: true })
      }
    } else {
      const text = await valueOf(shell, part)
      if (part.quoted || !splits) add({ text, quoted: part.quoted })
      else
        for (const [number, each] of text.split(/[ \t\n]+/).entries()) {
          if (number > 0) end()
          if (each !== '') add({ text: each, quoted: false })
        }
    }
  }
  end()
  return fields
}

function withHome(shell: Shell, text: string): string {
  return /^~(\/|$)/.test(text) ? (shell.get('HOME') ?? '') + text.slice(1) : text
}

function withFileNames(shell: Shell, pieces: Piece[]): string[] {
  const text = pieces.map((piece) => piece.text).join('')
  if (!pieces.some((piece) => !piece.quoted && /[*?[]/.test(piece.text))) return [text]
  const found = matchingPaths(shell.task.machine.files, shell.task.cwd, pieces.map(asPattern).join(''))
  return found.length > 0 ? found : [text]
}

function asPattern({ text, quoted }: Piece): string {
  return quoted ? text.replaceAll(/[\\*?[\]]/g, String.raw`\$&`) : text
}

function valueOf(shell: Shell, part: Exclude<WordPart, { type: 'text' }>): Promise<string> {
  if (part.type === 'command') return outputOf(shell, part.body)
  if (part.type === 'arithmetic') return calculate(shell, part.expression)
  return parameter(shell, part)
}

export async function calculate(shell: Shell, expression: Word): Promise<string> {
  return String(evaluate(await expandText(shell, expression), shell))
}

/** Returns the output of commands, without line feeds at its end. */
async function outputOf(shell: Shell, body: List): Promise<string> {
  const printed = await shell.capture(body)
  return printed.replace(/\n+$/, '').replaceAll('\0', '')
}

async function parameter(shell: Shell, part: WordPart & { type: 'parameter' }): Promise<string> {
  const { name, operator, word } = part
  const value = shell.get(name)
  const isMissing = operator.startsWith(':') ? !value : value === undefined
  switch (operator.replace(/^:(?=.)/, '')) {
    case '':
      return value ?? ''
    case 'length':
      return String((value ?? '').length)
    case '-':
      return isMissing ? expandText(shell, word) : value!
    case '+':
      return isMissing ? '' : expandText(shell, word)
    case '=':
      if (isMissing) shell.set(name, await expandText(shell, word))
      return shell.get(name) ?? ''
    case '?':
      return isMissing ? shell.fatal(`${name}: ${await expandText(shell, word)}`) : value!
    case ':':
      return sliceOf(value ?? '', await expandText(shell, word))
    case '/':
    case '//':
      return replaced(value ?? '', await expandPattern(shell, word), operator === '//')
    default:
      return cut(value ?? '', operator, await expandPattern(shell, word))
  }
}

/** Expands `${name:offset:length}`. */
function sliceOf(value: string, range: string): string {
  const [offset = 0, length] = range.split(':').map(Number)
  return value.slice(offset).slice(0, length)
}

function replaced(value: string, rule: string, all: boolean): string {
  const [pattern = '', replacement = ''] = rule.split(/(?<!\\)\/(.*)/s)
  return value.replace(new RegExp(patternExpression(pattern), all ? 'g' : ''), () => replacement.replaceAll('\\', ''))
}

/** Expands `${name#pattern}` and its three siblings, which remove the shortest or longest match at one end. */
function cut(value: string, operator: string, pattern: string): string {
  const lengths = Array.from({ length: value.length + 1 }, (_, length) => length)
  const isLongest = operator.length === 2
  for (const length of isLongest ? lengths.toReversed() : lengths) {
    const [taken, rest] = operator.startsWith('#')
      ? [value.slice(0, length), value.slice(length)]
      : [value.slice(value.length - length), value.slice(0, value.length - length)]
    if (matchesPattern(taken, pattern)) return rest
  }
  return value
}
