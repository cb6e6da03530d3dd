import { lookup } from '../../../db/lookup.ts'
import type { ComputerRow } from '../../../db/schema.ts'
import type { Caller } from '../../caller.ts'
import type { Context } from '../../context.ts'
import { policyOf } from '../../lifecycle-policy.ts'
import type { Right } from './rights.ts'

/**
 * How a caller names a computer: by its name in the caller's own account, '' for the default sandbox; by its id; by
 * either of them, where only computers that keep their files are meant; or, for visitors of a share of the account, by
 * the id of the computer that is shared.
 */
export type ComputerAddress = { name: string } | { id: string } | { lasting: string } | { shared: string }

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
  if ('lasting' in address) return lasting(db, caller, address.lasting)
  if ('shared' in address) return shared(db, caller, address.shared)
  return 'name' in address ? byName(db, caller, address.name) : byId(db, caller, address.id)
}

/** A name that looks like another computer's id leads to that computer. */
async function lasting(db: Context['db'], caller: Caller, idOrName: string): Promise<LookedUp | undefined> {
  for (const find of [byId, byName]) {
    const found = await find(db, caller, idOrName)
    if (found && policyOf(found.row).keepsFiles) return found
  }
  return undefined
}

/** Visitors of a share run programs, but never delete the computer. */
async function shared(db: Context['db'], caller: Caller, id: string): Promise<LookedUp | undefined> {
  const found = await byId(db, caller, id)
  return found && policyOf(found.row).keepsFiles ? { ...found, right: 'run' } : undefined
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
