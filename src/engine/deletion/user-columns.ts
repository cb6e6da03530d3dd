import { sql, type Transaction, type UpdateResult } from 'kysely'
import type { Database, UserIdentifier } from '../../db/schema.ts'
import type { UserSubject } from './deletion-subject.ts'

type Blank = (trx: Transaction<Database>, subject: UserSubject) => Promise<UpdateResult[]>

type IdentifiesUser<Column> = 'identifiesUser' extends keyof NonNullable<Column> ? true : false
type UserColumns<Row> = { [Name in keyof Row as IdentifiesUser<Row[Name]> extends true ? Name : never]: unknown }
type TablesWithUsers = {
  [Table in keyof Database as keyof UserColumns<Database[Table]> extends never ? never : Table]: unknown
}

/**
 * Says what happens to each column that names a user when that user is deleted:
 * - `with its row`: the plan of the table deletes each row that names the user there;
 * - a function blanks the name in rows of others, which stay.
 *
 * A column of the type `UserIdentifier` that is missing here does not compile.
 */
export const userColumns: {
  [Table in keyof TablesWithUsers]: {
    [Column in keyof UserColumns<Database[Table]>]: 'with its row' | Blank
  }
} = {
  accounts: { created_by: blankCreators },
  users: { id: 'with its row', name: 'with its row', email: 'with its row' },
  identities: { subject: 'with its row', user_id: 'with its row' },
  memberships: { user_id: 'with its row' },
  tokens: { user_id: 'with its row' },
  access_sessions: { user_id: 'with its row' },
  shares: { user_id: 'with its row' },
  sessions: { user_id: blankSessions },
  ssh_keys: { user_id: 'with its row' },
  ssh_certificates: { user_id: 'with its row' },
  invitations: { email: 'with its row', mailbox: 'with its row', invited_by: 'with its row' },
  magic_links: { email: 'with its row', mailbox: 'with its row' },
  person_settings: { owner_id: 'with its row' },
  first_credits: { person: 'with its row' },
  events: { actor: blankActors, data: blankEvents },
}

/** The workspace stays a shared one (`shared`). */
async function blankCreators(trx: Transaction<Database>, { userId }: UserSubject): Promise<UpdateResult[]> {
  return trx.updateTable('accounts').set({ created_by: null }).where('created_by', '=', userId).execute()
}

/** A session that the user began in a workspace of others stays theirs. */
async function blankSessions(trx: Transaction<Database>, { userId }: UserSubject): Promise<UpdateResult[]> {
  return trx.updateTable('sessions').set({ user_id: null }).where('user_id', '=', userId).execute()
}

/** What the user did in other users' workspaces stays in the audit log, without saying who did it. */
async function blankActors(trx: Transaction<Database>, { userId }: UserSubject): Promise<UpdateResult[]> {
  return trx.updateTable('events').set({ actor: 'user:' }).where('actor', '=', `user:${userId}`).execute()
}

/** Blanks the user in the data of events, such as who was invited or made an admin. Events of computers name nobody. */
async function blankEvents(trx: Transaction<Database>, { userId, addresses }: UserSubject): Promise<UpdateResult[]> {
  const blanked: UpdateResult[] = []
  for (const name of [userId, ...addresses]) {
    const without = sql<UserIdentifier>`replace(data, ${JSON.stringify(name)}, '""')`
    blanked.push(
      ...(await trx
        .updateTable('events')
        .set({ data: without })
        .where('computer_id', 'is', null)
        .where('data', '!=', without)
        .execute()),
    )
  }
  return blanked
}
