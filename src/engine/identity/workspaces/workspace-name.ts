import { lookup } from '../../../db/lookup.ts'
import type { Context } from '../../context.ts'

/** Returns the name of a workspace. */
export async function workspaceName({ db }: Pick<Context, 'db'>, accountId: string): Promise<string> {
  return (await nameOf(db, accountId))?.name ?? ''
}

const nameOf = lookup((db) => db.selectFrom('accounts').select('name').where('id', '=', ''))
