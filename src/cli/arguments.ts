import { parseArgs } from 'node:util'
import { globalOptions } from './global-options.ts'
import type { Program } from './program.ts'
import { isPlainWord } from './shell-command.ts'
import { suggestion } from '../suggestion.ts'
import { UsageError } from './usage-error.ts'
import type { Option, Options, Values, Verb } from './verb.ts'

/** Returns the verb, which is the first word that is neither an option nor the value of one, and the other words. */
export function splitVerb(args: string[]): { verb: string | undefined; rest: string[] } {
  const { tokens } = tokenize(args, globalOptions)
  const first = tokens.find(({ kind }) => kind !== 'option')
  if (first?.kind !== 'positional') return { verb: undefined, rest: args }
  return { verb: first.value, rest: args.toSpliced(first.index, 1) }
}

/**
 * Parses options, which may stand anywhere before `--`; those of a verb that takes a command end at its first word.
 * Throws a `UsageError` that names the nearest known option.
 */
export function parseCall(
  args: string[],
  verb: Pick<Verb, 'options' | 'takesCommand' | 'takesAmount' | 'unknownOption'>,
  name: Program['name'] = 'carrel',
): { values: Values; operands: string[] } {
  if (!verb.takesCommand) return parseOptions(args, verb)
  const { own, command } = splitCommand(args, { ...globalOptions, ...verb.options }, name)
  return { values: parseOptions(own, verb).values, operands: command }
}

function parseOptions(
  args: string[],
  verb: Pick<Verb, 'options' | 'takesAmount' | 'unknownOption'>,
): { values: Values; operands: string[] } {
  const options = { ...globalOptions, ...verb.options }
  const belowZero = verb.takesAmount ? args.filter((arg) => /^-\d/.test(arg)) : []
  const { tokens, values, positionals } = tokenize(
    args.filter((arg) => !belowZero.includes(arg)),
    options,
  )
  for (const token of tokens) if (token.kind === 'option') checkOption(token, options, verb.unknownOption)
  return { values, operands: [...positionals, ...belowZero] }
}

/**
 * Splits the arguments before the first word of a command, or at `--`. After code in one word, such as `print(6 * 7)`,
 * options may follow, as in PaperPod's document; with `ppod` after any single word.
 */
function splitCommand(args: string[], options: Options, name: Program['name']): { own: string[]; command: string[] } {
  const start = tokenize(args, options).tokens.find(({ kind }) => kind !== 'option')
  if (!start) return { own: args, command: [] }
  const own = args.slice(0, start.index)
  if (start.kind === 'option-terminator') return { own, command: args.slice(start.index + 1) }
  const [word = '', ...rest] = args.slice(start.index)
  const isCode = name === 'ppod' || !isPlainWord(word)
  const areOwn = tokenize(rest, options).tokens.every(
    (token) => token.kind === 'option' && Object.hasOwn(options, token.name),
  )
  return isCode && areOwn ? { own: [...own, ...rest], command: [word] } : { own, command: [word, ...rest] }
}

/** Returns a whole number from `min` to `max`. Throws a `UsageError` for anything else. */
export function parseCount(
  text: string | undefined,
  name: string,
  { min = 1, max = Number.MAX_SAFE_INTEGER } = {},
): number | undefined {
  if (text === undefined) return undefined
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= min && count <= max) return count
  const range = max === Number.MAX_SAFE_INTEGER ? `at least ${min}` : `from ${min} to ${max}`
  throw new UsageError(`Cannot use "${text}" as ${name}: it has to be a whole number, ${range}`)
}

/** Returns a time limit in milliseconds; 0 means no limit. */
export function parseTimeLimit(text: string | undefined): number | undefined {
  return text === '0' ? 0 : parseCount(text, 'the time limit')
}

/** Returns the variables of `K=V`, and of `K` alone with its local value, as in Docker. */
export function parseEnv(
  entries: string[] | undefined,
  local: Record<string, string | undefined>,
): Record<string, string> | undefined {
  if (!entries) return undefined
  return Object.fromEntries(
    entries.map((entry) => {
      const at = entry.indexOf('=')
      const name = at === -1 ? entry : entry.slice(0, at)
      const value = at === -1 ? local[name] : entry.slice(at + 1)
      if (name === '') throw new UsageError(`Cannot use "${entry}" as a variable: it needs a name before the "="`)
      if (value === undefined) throw new UsageError(`Cannot copy the variable "${name}": it is not set here`)
      return [name, value]
    }),
  )
}

/** Splits arguments without `strict`, which would report errors in its own words. */
function tokenize(args: string[], options: Options) {
  return parseArgs({ args, options, allowPositionals: true, strict: false, tokens: true })
}

interface OptionToken {
  name: string
  rawName: string
  value?: string | undefined
  inlineValue?: boolean | undefined
}

function checkOption(token: OptionToken, options: Options, otherwise?: string): void {
  const { name, rawName, value, inlineValue } = token
  const option: Option | undefined = Object.hasOwn(options, name) ? options[name] : undefined
  if (!option) {
    const known = Object.keys(options).map((option) => `--${option}`)
    const rest = suggestion(rawName, known) || (otherwise === undefined ? '' : `: ${otherwise}`)
    throw new UsageError(`Unknown option "${rawName}"${rest}`)
  }
  if (option.type === 'boolean') {
    if (value !== undefined) throw new UsageError(`The option "${rawName}" takes no value`)
    return
  }
  // In `--session --json` a value was most likely forgotten: few values begin with a dash.
  const isForgotten = value === undefined || (!inlineValue && value.length > 1 && value.startsWith('-'))
  if (isForgotten) throw new UsageError(`The option "${rawName}" needs a value: ${rawName}=${option.value}`)
}
