import { isatty } from 'node:tty'
import type { Carrel } from '../../../sdk/index.ts'
import { ask } from '../ask.ts'
import { Declined, UsageError } from '../usage-error.ts'
import type { Call } from '../verb.ts'
import { computerTable } from './table.ts'

/** Returns the computers that are named; at a terminal a user may choose one from a list instead. */
export async function chosen({ program, operands: [what, ...names], values }: Call, client: Carrel): Promise<string[]> {
  if (names.length > 0) return [...new Set(names)]
  const usage = `The command is "${program.name} computers ${what} <computer>"`
  if (!isatty(0) || values.json) throw new UsageError(usage)
  const computers = await client.computers.list()
  if (computers.length === 0)
    throw new UsageError(`There is no computer yet: "${program.name} computers create" makes one`)
  if (computers.length === 1 && what !== 'rm') return [computers[0]!.handle]
  const rows = computerTable(computers, false).trimEnd().split('\n')
  const numbered = rows.map((row, index) => `${index === 0 ? '   ' : String(index).padStart(2).concat(' ')} ${row}`)
  await program.stderr.line(numbered.join('\n'))
  const answer = await ask(`Which one? (1-${computers.length}, or a handle) `)
  const byNumber = computers[Number(answer) - 1]
  const found = byNumber ?? computers.find(({ handle, id }) => handle === answer || id === answer)
  if (!found) throw new Declined('Nothing was done')
  return [found.handle]
}
