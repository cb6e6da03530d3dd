import { sql, type Kysely } from 'kysely'

/** The networks of mail requests, the parents of API keys, and first credits; adapts the existing rows. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await addMail(db)
  await addParents(db)
  await addFirstCredits(db)
  await makeNamesOneLine(db)
  // The creator was deleted.
  await sql`UPDATE accounts SET created_by = '' WHERE created_by IS NOT NULL AND created_by NOT IN (SELECT id FROM users)`.execute(
    db,
  )
}

async function addMail(db: Kysely<unknown>): Promise<void> {
  const links = () => db.schema.alterTable('magic_links')
  await links()
    .addColumn('mailbox', 'text', (c) => c.notNull().defaultTo(''))
    .execute()
  await links()
    .addColumn('network', 'text', (c) => c.notNull().defaultTo(''))
    .execute()
  await links()
    .addColumn('stranger', 'integer', (c) => c.notNull().defaultTo(0))
    .execute()
  await links()
    .addColumn('sent', 'integer', (c) => c.notNull().defaultTo(1))
    .execute()
  for (const column of ['email', 'mailbox', 'network'])
    await db.schema.createIndex(`magic_links_${column}`).on('magic_links').columns([column, 'created_at']).execute()
  await db.schema.createIndex('magic_links_created').on('magic_links').column('created_at').execute()
  await db.schema
    .alterTable('invitations')
    .addColumn('mailbox', 'text', (c) => c.notNull().defaultTo(''))
    .execute()
  for (const column of ['mailbox', 'invited_by'])
    await db.schema.createIndex(`invitations_${column}`).on('invitations').columns([column, 'created_at']).execute()
  await db.schema.createIndex('invitations_created').on('invitations').column('created_at').execute()
}

/** Takes the parents of existing keys from the audit log. */
async function addParents(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('tokens').addColumn('parent_id', 'text').execute()
  const known = db as Kysely<Before>
  const made = await known
    .selectFrom('events')
    .innerJoin('tokens', 'tokens.id', 'events.actor')
    .select(['events.actor', 'events.data'])
    .where('events.type', '=', 'api_key.created')
    .where('tokens.kind', '=', 'api_key')
    .execute()
  for (const { actor, data } of made) {
    const { keyId } = JSON.parse(data) as { keyId?: unknown }
    if (typeof keyId !== 'string') continue
    await known.updateTable('tokens').set({ parent_id: actor }).where('id', '=', keyId).execute()
  }
  await db.schema
    .createIndex('tokens_parent')
    .on('tokens')
    .column('parent_id')
    .where(sql.ref('parent_id'), 'is not', null)
    .execute()
}

async function addFirstCredits(db: Kysely<Before>): Promise<void> {
  await db.schema
    .createTable('first_credits')
    .addColumn('account_id', 'text', (c) => c.primaryKey())
    .addColumn('person', 'text', (c) => c.notNull())
    .addColumn('network', 'text')
    .addColumn('given', 'integer', (c) => c.notNull())
    .addColumn('decided_at', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema.createIndex('first_credits_person').on('first_credits').column('person').execute()
  await db.schema.createIndex('first_credits_decided').on('first_credits').column('decided_at').execute()
  const people = await db
    .selectFrom('users')
    .innerJoin('identities', 'identities.user_id', 'users.id')
    .select(['users.account_id', 'users.created_at', 'identities.subject'])
    .where('identities.provider', '=', 'email')
    .where('users.account_id', 'in', (eb) =>
      eb.selectFrom('ledger_transactions').select('account_id').where('kind', '=', 'grant'),
    )
    .execute()
  for (const { account_id, created_at, subject } of people)
    await db
      .insertInto('first_credits')
      .values({ account_id, person: mailboxOf(subject), network: null, given: 1, decided_at: created_at })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
}

async function makeNamesOneLine(db: Kysely<Before>): Promise<void> {
  for (const table of ['users', 'accounts', 'tokens'] as const)
    for (const { id, name } of await db.selectFrom(table).select(['id', 'name']).execute())
      if (oneLine(name) !== name)
        await db
          .updateTable(table)
          .set({ name: oneLine(name) })
          .where('id', '=', id)
          .execute()
}

function oneLine(name: string): string {
  return name.replace(/(?:(?![\u200c\u200d])[\p{C}\s])+/gu, ' ').trim()
}

function mailboxOf(address: string): string {
  const [, local = '', domain = ''] = /^([^+]+).*@(.*)$/s.exec(address.replace(/@(?=[^@]*$)/, '+@')) ?? []
  return /^(gmail|googlemail)\.com$/.test(domain) ? `${local.replaceAll('.', '')}@gmail.com` : `${local}@${domain}`
}

/** The tables that this migration reads and writes, as they are at this point. */
interface Before {
  users: { id: string; name: string; account_id: string; created_at: number }
  accounts: { id: string; name: string }
  tokens: { id: string; name: string; kind: string; parent_id: string | null }
  events: { actor: string; data: string; type: string }
  identities: { user_id: string; provider: string; subject: string }
  ledger_transactions: { account_id: string; kind: string }
  first_credits: { account_id: string; person: string; network: string | null; given: number; decided_at: number }
}
