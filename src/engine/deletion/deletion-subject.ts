import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Context, ServerState } from '../context.ts'

/** A person or a workspace whose time has come, and what goes with it. */
export interface DeletionSubject {
  /** '-', which nobody has, where a workspace goes and its people stay. */
  userId: string
  /** The workspace; of a person those of which nobody else is a member, as a rule their own alone. Never the owner's, and never none. */
  accountIds: string[]
  /** Addresses by which they signed in. */
  addresses: string[]
}

export async function personSubject(
  { db, server }: Pick<Context, 'db'> & { server: Pick<ServerState, 'ownerId'> },
  userId: string,
): Promise<DeletionSubject> {
  const alone = (await aloneIn(db, userId)).filter((accountId) => accountId !== server.ownerId)
  // A list in SQL has one element at least.
  return { userId, accountIds: alone.length > 0 ? alone : [none], addresses: await addressesOf(db, userId) }
}

/** A workspace that goes by itself. */
export function workspaceSubject(accountId: string): DeletionSubject {
  return { userId: none, accountIds: [accountId], addresses: [] }
}

/** Whether it is a workspace that goes by itself. */
export function isWorkspace({ userId }: DeletionSubject): boolean {
  return userId === none
}

/** No person and no account has this id. */
const none = '-'

async function aloneIn(db: Kysely<Database>, userId: string): Promise<string[]> {
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

/** By which a person signed in, or that a provider told. */
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
