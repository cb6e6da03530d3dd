import { commonOptions, sharedOptions } from '../global-options.ts'
import type { Option } from '../verb.ts'
import { offeredVerbs } from '../offered-verbs.ts'

/** The kind of values that an operand can be completed with. */
export type OperandKind = 'actions' | 'files' | 'verbs' | 'shells' | RemoteKind | 'nothing'

/**
 * What the server is asked for. `places` are paths on both sides, as of "cp": remote ones have a colon. `computers` also
 * are the inner actions behind an action that has some. `datasets` are local files behind the actions that read or write
 * them.
 */
export type RemoteKind = 'processes' | 'memory' | 'sandboxes' | 'computers' | 'datasets' | 'paths' | 'places'

export interface VerbWords {
  name: string
  summary: string
  options: [name: string, option: Option][]
  /** The values of the kind `actions`. */
  actions: readonly string[]
  /** The kind of each operand; the last one applies to all further operands. */
  operands: OperandKind[]
  /** Whether the last operand may be repeated. */
  repeats: boolean
  /** Whether options end at the first operand. */
  takesCommand: boolean
}

/** The options that choose what the server is asked about. */
export const contextOptions = ['--session', '--url', '--token']

export const shells = ['bash', 'zsh', 'fish'] as const

/** Returns every command with its options and operands, from their definitions. */
export async function wordList(): Promise<VerbWords[]> {
  return Promise.all(
    offeredVerbs().map(async ([name, entry]) => {
      const { usage, options, shared, actions = [], takesCommand = false } = await entry.load()
      const known = Object.fromEntries(shared.map((option) => [option, sharedOptions[option]]))
      const operands = [...usage.matchAll(/[<[]([a-z]+)[>\]]/g)]
        .map(([, operand = '']) => operand)
        .filter((operand) => operand !== 'options')
        .map((operand) => kinds[`${name} ${operand}`] ?? kinds[operand] ?? 'nothing')
      return {
        name,
        summary: entry.summary,
        options: Object.entries({ ...options, ...known, ...commonOptions }),
        actions,
        // The name behind an action can be completed for what `namesOf` has.
        operands: actions.length > 0 ? ['actions' as const, namesOf[name] ?? ('nothing' as const)] : operands,
        repeats: usage.endsWith('...'),
        takesCommand,
      }
    }),
  )
}

/**
 * Kinds by the name of the operand in the usage, preceded by the command if the same name means something else there.
 */
const kinds: Record<string, OperandKind> = {
  id: 'processes',
  file: 'files',
  path: 'paths',
  sandbox: 'sandboxes',
  computer: 'computers',
  from: 'places',
  to: 'places',
  shell: 'shells',
  'help command': 'verbs',
  'exec command': 'files',
  'start command': 'files',
  'mem:read path': 'memory',
  'mem:write path': 'memory',
  'mem:rm path': 'memory',
  'mem:ls prefix': 'memory',
}

const namesOf: Record<string, OperandKind | undefined> = {
  sandboxes: 'sandboxes',
  computers: 'computers',
  datasets: 'datasets',
}

/** Returns whether the value of an option is a local file. */
export function takesFile({ value }: Option): boolean {
  return value === '<file>'
}
