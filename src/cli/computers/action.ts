import type { Carrel } from '../../../sdk/index.ts'
import { suggestion } from '../../suggestion.ts'
import { UsageError } from '../usage-error.ts'
import type { Call } from '../verb.ts'

/** What an action of `computers` is called with: its operands are those behind its own name. */
export interface ActionCall extends Call {
  /** The command line without the program's name, such as `computers stop <computer>`. */
  usage: string
}

export interface Action {
  /** The operands, as a usage message shows them; with `...` or `--` there may be any number. */
  takes: string
  /** Resolves with the exit code, if it is not 0. */
  run: (call: ActionCall, client: Carrel) => Promise<number | void>
}

/** Actions by their names. The first one is meant when none is named. */
export interface Actions {
  [name: string]: Action | Actions
}

/** Returns the action that the operands name, and the call of it. Throws a `UsageError` for operands that do not fit. */
export function findAction(call: Call, actions: Actions, path = 'computers'): [Action, ActionCall] {
  const names = Object.keys(actions)
  const [first] = call.operands
  const isNamed = first !== undefined && names.includes(first)
  const name = isNamed ? first : names[0]!
  const found = actions[name]!
  const operands = isNamed ? call.operands.slice(1) : call.operands
  if (!isAction(found)) return findAction({ ...call, operands }, found, `${path} ${name}`)
  const usage = `${path} ${name} ${found.takes}`.trimEnd()
  if (operands.length <= maxOperands(found)) return [found, { ...call, operands, usage }]
  if (isNamed) throw new UsageError(`Cannot use "${operands.at(-1)}": ${commandIs(call, usage)}`)
  const choice = suggestion(first!, names) || `: it has to be one of ${names.join(', ')}`
  throw new UsageError(`Cannot do "${first}" with ${path.replace('computers ', '')}${choice}`)
}

/** Returns the names of the actions of each action that has some. */
export function innerActionsOf(actions: Actions): Record<string, string[]> {
  const groups = Object.entries(actions).filter((entry): entry is [string, Actions] => !isAction(entry[1]))
  return Object.fromEntries(groups.map(([name, inner]) => [name, Object.keys(inner)]))
}

/** Returns the error of a call that lacks an operand. */
export function missing(call: ActionCall, what: string): UsageError {
  return new UsageError(`The ${what} is missing: ${commandIs(call, call.usage)}`)
}

function commandIs({ program }: Call, usage: string): string {
  return `the command is "${program.name} ${usage}"`
}

function isAction(found: Action | Actions): found is Action {
  return typeof found['run'] === 'function'
}

function maxOperands({ takes }: Action): number {
  return /\.\.\.|--/.test(takes) ? Infinity : takes.split(' ').filter(Boolean).length
}
