import { isatty } from 'node:tty'
import type { Carrel } from '../../../sdk/index.ts'
import { ask } from '../ask.ts'
import { Declined, UsageError } from '../usage-error.ts'
import { missing, type ActionCall } from './action.ts'
import { byCreation, computerTable } from './table.ts'

/** What a user can choose from at a terminal. */
interface Choice<T> {
  /** What one of them is, such as `computer`. */
  what: string
  load: () => Promise<readonly T[]>
  /** Returns the titles and a line for each one. */
  table: (items: readonly T[]) => string
  /** What a user may type instead of the number: such as `a handle`, and what that is of each one. */
  nameKind: string
  names: (item: T) => string[]
  /** What to do when there is nothing to choose from. */
  none: string
}

/**
 * Returns what a user chooses from a list at a terminal. Throws a `UsageError` anywhere else: a program names what it
 * means.
 */
export async function pick<T>(call: ActionCall, { what, load, table, nameKind, names, none }: Choice<T>): Promise<T> {
  if (!isatty(0) || call.values.json) throw missing(call, what)
  const items = await load()
  if (items.length === 0) throw new UsageError(none)
  const rows = table(items).trimEnd().split('\n')
  const numbered = rows.map((row, index) => `${index === 0 ? '   ' : String(index).padStart(2).concat(' ')} ${row}`)
  await call.program.stderr.line(numbered.join('\n'))
  const answer = await ask(`Which ${what}? (${items.length === 1 ? '1' : `1-${items.length}`}, or ${nameKind}) `)
  const found = items.find((item) => names(item).includes(answer)) ?? items[Number(answer) - 1]
  if (!found) throw new Declined('Nothing was done')
  return found
}

/** Returns the computers that are named; at a terminal a user may choose one from a list instead. */
export async function chosen(call: ActionCall, client: Carrel): Promise<string[]> {
  return call.operands.length > 0 ? [...new Set(call.operands)] : [await chosenOne(call, client)]
}

/** Returns the computer that the first operand names; at a terminal a user may choose it from a list instead. */
export async function chosenOne(call: ActionCall, client: Carrel, name = call.operands[0]): Promise<string> {
  if (name !== undefined) return name
  const { program } = call
  const { id } = await pick(call, {
    what: 'computer',
    load: async () => byCreation(await client.computers.list()),
    table: (computers) => computerTable(computers, false, listWidth(call)),
    nameKind: 'a handle',
    names: ({ handle, id }) => [handle, id],
    none: `There is no computer yet: "${program.name} computers create" makes one`,
  })
  return id
}

/** Returns the width of a list whose lines have numbers in front. */
export function listWidth({ program }: ActionCall): number | undefined {
  const { width } = program.stderr
  return width === undefined ? undefined : width - numberWidth
}

const numberWidth = 4
