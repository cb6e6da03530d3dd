import { globalOptions } from '../global-options.ts'
import type { Option } from '../verb.ts'
import { verbs } from '../verbs.ts'

/** The kind of values that an operand can be completed with. */
export type OperandKind = 'actions' | 'files' | 'verbs' | 'shells' | 'processes' | 'memory' | 'nothing'

export interface VerbWords {
  name: string
  summary: string
  options: [name: string, option: Option][]
  /** The values of the kind `actions`. */
  actions: readonly string[]
  /** The kind of each operand; the last one applies to all further operands. */
  operands: OperandKind[]
}

export const shells = ['bash', 'zsh', 'fish'] as const

/** Returns every command with its options and operands, from their definitions. */
export async function wordList(): Promise<VerbWords[]> {
  return Promise.all(
    Object.entries(verbs).map(async ([name, entry]) => {
      const { usage, options, actions = [] } = await entry.load()
      const operands = [...usage.matchAll(/[<[]([a-z]+)[>\]]/g)]
        .map(([, operand = '']) => operand)
        .filter((operand) => operand !== 'options')
        .map((operand) => kinds[`${name} ${operand}`] ?? kinds[operand] ?? 'nothing')
      return {
        name,
        summary: entry.summary,
        options: Object.entries({ ...options, ...globalOptions }),
        actions,
        // An action is followed by a name, which cannot be completed.
        operands: actions.length > 0 ? ['actions' as const, 'nothing' as const] : operands,
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
  from: 'files',
  to: 'files',
  shell: 'shells',
  'help command': 'verbs',
  'exec command': 'files',
  'start command': 'files',
  'mem:read path': 'memory',
  'mem:write path': 'memory',
  'mem:rm path': 'memory',
  'mem:ls prefix': 'memory',
}

/** Returns whether the value of an option is a local file. */
export function takesFile({ value }: Option): boolean {
  return value === '<file>'
}
