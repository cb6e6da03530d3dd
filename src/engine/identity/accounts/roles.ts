import type { Kysely } from 'kysely'
import { lookup } from '../../../db/lookup.ts'
import type { Database, MembershipRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import type { Authenticated } from './tokens.ts'

/**
 * The roles of users in a workspace; each may do what the one before it may, and more: a member uses computers and
 * reads, an admin manages members, keys and limits, an owner appoints owners. Topping up takes no role: everybody who
 * may spend credit may pay in.
 */
export const roles = ['member', 'admin', 'owner'] as const
export type Role = MembershipRow['role']

/** Returns whether one role may do all that another may. */
export function covers(role: Role, other: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(other)
}

/** Throws `forbidden` when the caller's role in the workspace is below `min`. */
export function assertRole({ role }: Pick<Authenticated, 'role'>, min: Role): void {
  if (covers(role, min)) return
  throw new CarrelError('forbidden', `Cannot do this in the workspace: this takes the role "${min}"`, {
    details: { role, needs: min },
  })
}

/** Returns a user's role in a workspace; undefined when the user is not a member. */
export async function roleOf(db: Kysely<Database>, accountId: string, userId: string): Promise<Role | undefined> {
  return (await membership(db, accountId, userId))?.role
}

const membership = lookup((db) =>
  db.selectFrom('memberships').select('role').where('account_id', '=', '').where('user_id', '=', ''),
)
