import { sql, type Transaction, type UpdateResult } from 'kysely'
import type { Database, PersonName } from '../../db/schema.ts'
import { isWorkspace, type DeletionSubject } from './deletion-subject.ts'

type Blank = (trx: Transaction<Database>, leaving: DeletionSubject) => Promise<UpdateResult[]>

type NamesPerson<Column> = 'namesPerson' extends keyof NonNullable<Column> ? true : false
type PersonColumns<Row> = { [Name in keyof Row as NamesPerson<Row[Name]> extends true ? Name : never]: unknown }
type TablesWithPeople = {
  [Table in keyof Database as keyof PersonColumns<Database[Table]> extends never ? never : Table]: unknown
}

/**
 * What becomes of each column that names a person, when that person leaves:
 * - `with its row`: by the fate of its table, each row goes that names them there;
 * - a function: rows can stay that belong to others, and name nobody then.
 *
 * A column of the type `PersonName` that is missing here does not compile.
 */
export const personColumns: {
  [Table in keyof TablesWithPeople]: {
    [Column in keyof PersonColumns<Database[Table]>]: 'with its row' | Blank
  }
} = {
  accounts: { created_by: blankCreators },
  users: { id: 'with its row', name: 'with its row', email: 'with its row' },
  identities: { subject: 'with its row', user_id: 'with its row' },
  memberships: { user_id: 'with its row' },
  tokens: { user_id: 'with its row' },
  invitations: { email: 'with its row', mailbox: 'with its row', invited_by: 'with its row' },
  magic_links: { email: 'with its row', mailbox: 'with its row' },
  person_settings: { owner_id: 'with its row' },
  first_credits: { person: 'with its row' },
  events: { actor: blankActors, data: blankEvents },
}

/** The workspace is still known to be one for several people. */
async function blankCreators(trx: Transaction<Database>, { userId }: DeletionSubject): Promise<UpdateResult[]> {
  return trx.updateTable('accounts').set({ created_by: '' }).where('created_by', '=', userId).execute()
}

/** What they did in workspaces of others stays, done by somebody. */
async function blankActors(trx: Transaction<Database>, leaving: DeletionSubject): Promise<UpdateResult[]> {
  if (isWorkspace(leaving)) return []
  return trx.updateTable('events').set({ actor: 'user:' }).where('actor', '=', `user:${leaving.userId}`).execute()
}

/** Such as who was invited, or made an admin. What is told of computers names nobody. */
async function blankEvents(trx: Transaction<Database>, leaving: DeletionSubject): Promise<UpdateResult[]> {
  if (isWorkspace(leaving)) return []
  const blanked: UpdateResult[] = []
  for (const name of [leaving.userId, ...leaving.addresses]) {
    const without = sql<PersonName>`replace(data, ${JSON.stringify(name)}, '""')`
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
