import type { SharedOption } from './global-options.ts'
import type { Program } from './program.ts'

export interface Option {
  type: 'string' | 'boolean'
  short?: string
  multiple?: boolean
  /** The name of the value in the help, for a string. */
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
  /** What follows the program's name, such as `kill [options] <id>`. */
  usage: string
  /** What it does, in full sentences. */
  description: string
  /** Command lines without the program's name, each with what it does. */
  examples: readonly [line: string, about: string][]
  /** Its own options. */
  options: Options
  /** The global options that mean something to it; it accepts all of them. */
  shared: readonly SharedOption[]
  /** Values of the first operand, if it selects an action. */
  actions?: readonly string[]
  /** Values of the second operand, behind an action that has actions of its own. */
  innerActions?: Readonly<Record<string, readonly string[]>>
  /** Minimum and maximum number of operands. */
  operands: [min: number, max: number]
  /** What is said of an option that it does not have and that resembles none of its own. */
  unknownOption?: string
  /** The operands are a command, which may have options of its own. */
  takesCommand?: boolean
  /** The operand is an amount, so that `-5` is an invalid amount and not an option. */
  takesAmount?: boolean
  /** Resolves with the exit code. */
  run(call: Call): Promise<number>
}
