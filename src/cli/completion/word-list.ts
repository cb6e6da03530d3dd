import { globalOptions } from '../global-options.ts'
import type { Option } from '../verb.ts'
import { verbs } from '../verbs.ts'

/** What an operand can be completed with. */
export type OperandKind = 'actions' | 'files' | 'verbs' | 'shells' | 'processes' | 'memory' | 'nothing'

export interface VerbWords {
  name: string
  summary: string
  options: [name: string, option: Option][]
  /** What the kind `actions` stands for. */
  actions: readonly string[]
  /** Of its first operand, its second, …; the last one is of all that follow. */
  operands: OperandKind[]
}

export const shells = ['bash', 'zsh', 'fish'] as const

/** Every command with its options and operands, from their definitions. */
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
        // What comes behind an action is a name that is found nowhere here.
        operands: actions.length > 0 ? ['actions' as const, 'nothing' as const] : operands,
      }
    }),
  )
}

/** By the operand's name in the usage; with the command before it where the same name means something else. */
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

/** Options whose value is a local file. */
export function takesFile({ value }: Option): boolean {
  return value === '<file>'
}
