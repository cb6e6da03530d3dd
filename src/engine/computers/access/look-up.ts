import { lookup } from '../../../db/lookup.ts'
import type { ComputerRow } from '../../../db/schema.ts'
import type { Caller } from '../../caller.ts'
import type { Context } from '../../context.ts'
import type { Right } from './rights.ts'

/** How a caller names a computer: by its name in the caller's own account, '' for the default sandbox, or by its id. */
export type ComputerAddress = { name: string } | { id: string }

export interface LookedUp {
  row: OwnedRow
  /** The greatest right that the caller has. */
  right: Right
}

/** A computer that belongs to an account, unlike one in the warm pool. */
export type OwnedRow = ComputerRow & { account_id: string }

/**
 * Returns the computer at an address, with the caller's right to it; undefined when there is none, or none that the
 * caller may use. All rights come from here: each further way to a computer is a form of the address and one function.
 */
export function lookUp(
  { db }: Pick<Context, 'db'>,
  caller: Caller,
  address: ComputerAddress,
): Promise<LookedUp | undefined> {
  return 'name' in address ? byName(db, caller, address.name) : byId(db, caller, address.id)
}

async function byName(db: Context['db'], { accountId }: Caller, name: string): Promise<LookedUp | undefined> {
  return owned(await computerByName(db, accountId, name))
}

async function byId(db: Context['db'], { accountId }: Caller, id: string): Promise<LookedUp | undefined> {
  return owned(await computerById(db, accountId, id))
}

function owned(row: ComputerRow | undefined): LookedUp | undefined {
  return row && { row: row as OwnedRow, right: 'manage' }
}

const computerByName = lookup((db) =>
  db.selectFrom('computers').selectAll().where('account_id', '=', '').where('name', '=', ''),
)
const computerById = lookup((db) =>
  db.selectFrom('computers').selectAll().where('account_id', '=', '').where('id', '=', ''),
)
