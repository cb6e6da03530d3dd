import type { Kysely } from 'kysely'
import { lookup } from '../../../db/lookup.ts'
import type { Database, MembershipRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import type { Authenticated } from './tokens.ts'

/**
 * What a person may do in a workspace, each what the one before it may and more: a member uses computers and sees, an admin manages
 * members, keys and limits, an owner makes owners. Adding to the credit takes no role: whoever may spend it may pay in.
 */
export const roles = ['member', 'admin', 'owner'] as const
export type Role = MembershipRow['role']

/** Whether one role may do all that another may. */
export function covers(role: Role, other: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(other)
}

/** Rejects with `forbidden` when the caller is less than that in the workspace. */
export function assertRole({ role }: Pick<Authenticated, 'role'>, least: Role): void {
  if (covers(role, least)) return
  throw new CarrelError('forbidden', `Cannot do this in the workspace: it takes the role "${least}"`, {
    details: { role, needs: least },
  })
}

/** What somebody is in a workspace; undefined when they are not a member. */
export async function roleOf(db: Kysely<Database>, accountId: string, userId: string): Promise<Role | undefined> {
  return (await membership(db, accountId, userId))?.role
}

const membership = lookup((db) =>
  db.selectFrom('memberships').select('role').where('account_id', '=', '').where('user_id', '=', ''),
)
