import { sql, type Kysely } from 'kysely'

/** Gives a column of its own to what magic values said before: '' for "unknown by now", a status of 0 and of -1. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await addShared(db)
  await addIdempotencyState(db)
  await makeNetworkNullable(db)
}

/** `created_by` was null for a user's own workspace, and '' for a shared one whose creator was deleted. */
async function addShared(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('accounts')
    .addColumn('shared', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  await sql`update accounts set shared = 1 where created_by is not null`.execute(db)
  await sql`update accounts set created_by = null where created_by = ''`.execute(db)
}

/**
 * `status` was null while a request was in progress, 0 where its process gives the answer and -1 where the answer was
 * dropped. In the first two cases `body` held the id of the process.
 */
async function addIdempotencyState(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('idempotency')
    .addColumn('state', 'text', (column) => column.notNull().defaultTo('in_progress'))
    .execute()
  await sql`update idempotency set state = case status when 0 then 'process' when -1 then 'dropped' else 'answered' end
    where status is not null`.execute(db)
  await sql`update idempotency set process_id = body, body = null, status = null
    where state in ('in_progress', 'process')`.execute(db)
  await sql`update idempotency set status = null where state = 'dropped'`.execute(db)
}

/** An invitation's `network` was '' when it was older than a day. */
async function makeNetworkNullable(db: Kysely<unknown>): Promise<void> {
  const invitations = () => db.schema.alterTable('invitations')
  await db.schema.dropIndex('invitations_network').execute()
  await invitations().renameColumn('network', 'old_network').execute()
  await invitations().addColumn('network', 'text').execute()
  await sql`update invitations set network = old_network where old_network <> ''`.execute(db)
  await invitations().dropColumn('old_network').execute()
  await db.schema.createIndex('invitations_network').on('invitations').columns(['network', 'created_at']).execute()
}
