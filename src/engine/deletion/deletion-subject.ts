import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Context, ServerState } from '../context.ts'

/** A user or a workspace whose deletion is due, with the accounts that are deleted with it. */
export type DeletionSubject = UserSubject | WorkspaceSubject

export interface UserSubject {
  kind: 'user'
  userId: string
  /**
   * The workspaces of which nobody else is a member, as a rule the user's own alone; can be empty. Never the owner's.
   */
  accountIds: readonly string[]
  /** Mail addresses that the user signed in by, or that a provider reported. */
  addresses: readonly string[]
}

/** A workspace that is deleted by itself: its members stay. */
export interface WorkspaceSubject {
  kind: 'workspace'
  accountIds: readonly [accountId: string]
}

export async function userSubject(
  { db, server }: Pick<Context, 'db'> & { server: Pick<ServerState, 'ownerId'> },
  userId: string,
): Promise<UserSubject> {
  const accountIds = (await soleMemberships(db, userId)).filter((accountId) => accountId !== server.ownerId)
  return { kind: 'user', userId, accountIds, addresses: await addressesOf(db, userId) }
}

export function workspaceSubject(accountId: string): WorkspaceSubject {
  return { kind: 'workspace', accountIds: [accountId] }
}

/** Returns the workspaces of which the user is the only member. */
async function soleMemberships(db: Kysely<Database>, userId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('memberships')
    .select('account_id')
    .where('user_id', '=', userId)
    .where('account_id', 'not in', (eb) =>
      eb.selectFrom('memberships').select('account_id').where('user_id', '!=', userId),
    )
    .execute()
  return rows.map(({ account_id }) => account_id)
}

/** Returns the mail addresses that a user signed in by, and the one that a provider reported. */
export async function addressesOf(db: Kysely<Database>, userId: string): Promise<string[]> {
  const identities = await db
    .selectFrom('identities')
    .select('subject')
    .where('user_id', '=', userId)
    .where('provider', '=', 'email')
    .execute()
  const users = await db.selectFrom('users').select('email').where('id', '=', userId).execute()
  const addresses = [...identities.map(({ subject }) => subject), ...users.map(({ email }) => email)]
  return [...new Set(addresses.filter((address) => address !== null))]
}
