import type { Program } from './program.ts'

export interface Option {
  type: 'string' | 'boolean'
  short?: string
  multiple?: boolean
  /** Of a string: how the value is called in the help. */
  value?: string
  help: string
}

export type Options = Record<string, Option>

export interface Values {
  json?: boolean
  session?: string
  url?: string
  token?: string
  timeout?: string
  env?: string[]
  cwd?: string
  help?: boolean
  [option: string]: string | boolean | string[] | undefined
}

/** What a verb is called with. */
export interface Call {
  program: Program
  values: Values
  operands: string[]
}

/** One command of the CLI. */
export interface Verb {
  /** After the program's name, such as `kill [options] <id>`. */
  usage: string
  /** What it does, in full sentences. */
  description: string
  /** Beside the global ones. */
  options: Options
  /** What the first operand can be, where it says what to do. */
  actions?: readonly string[]
  /** Fewest and most operands. */
  operands: [fewest: number, most: number]
  /** The operands are a command, which may have options of its own. */
  takesCommand?: boolean
  /** The operand is an amount: `-5` is one that cannot be, and no option. */
  takesAmount?: boolean
  /** Resolves with the exit code. */
  run(call: Call): Promise<number>
}
