/** How a language writes values. */
export interface Dialect {
  text: (value: string) => string
  key: (name: string) => string
  /** What stands for true, false and null. */
  words: readonly [yes: string, no: string, none: string]
  indent: string
}

export const typescript: Dialect = {
  text: singleQuoted,
  key: (name) => (/^[a-z_]\w*$/i.test(name) ? name : singleQuoted(name)),
  words: ['true', 'false', 'null'],
  indent: '  ',
}

export const python: Dialect = {
  text: (value) => JSON.stringify(value),
  key: (name) => JSON.stringify(name),
  words: ['True', 'False', 'None'],
  indent: '    ',
}

/** Returns a JSON value as source text; `depth` is the indentation of the line on which it begins. */
export function literal(value: unknown, dialect: Dialect, depth = 0): string {
  const { text, key, words, indent } = dialect
  if (value === null || value === undefined) return words[2]
  if (typeof value === 'boolean') return words[value ? 0 : 1]
  if (typeof value === 'string') return text(value)
  if (typeof value !== 'object') return JSON.stringify(value)
  const isList = Array.isArray(value)
  const parts = (inner: number) =>
    Object.entries(value).map(([name, one]) => `${isList ? '' : `${key(name)}: `}${literal(one, dialect, inner)}`)
  const [open, close] = isList ? ['[', ']'] : ['{', '}']
  const space = isList || dialect === python ? '' : ' '
  const line = parts(depth)
  if (line.length === 0) return open + close
  const short = `${open}${space}${line.join(', ')}${space}${close}`
  if (short.length <= maxLineLength && !short.includes('\n')) return short
  const pad = indent.repeat(depth + 1)
  return `${open}\n${parts(depth + 1)
    .map((part) => `${pad}${part},\n`)
    .join('')}${indent.repeat(depth)}${close}`
}

function singleQuoted(value: string): string {
  const inner = JSON.stringify(value).slice(1, -1)
  return value.includes("'") && !value.includes('"')
    ? `"${inner}"`
    : `'${inner.replaceAll(String.raw`\"`, '"').replaceAll("'", String.raw`\'`)}'`
}

const maxLineLength = 52
