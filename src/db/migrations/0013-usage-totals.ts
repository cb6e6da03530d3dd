import { sql, type Kysely } from 'kysely'

/**
 * Sums of usage by day, and of spending by day and month, filled once from the existing intervals. Adds indexes for
 * what requests and sweeps read, so that they do not read all rows of an account, or of everybody.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('usage_days')
    .addColumn('account_id', 'text', (c) => c.notNull())
    .addColumn('dimension', 'text', (c) => c.notNull())
    .addColumn('day', 'integer', (c) => c.notNull())
    .addColumn('part', 'text', (c) => c.notNull())
    .addColumn('value', 'text', (c) => c.notNull())
    .addColumn('meter', 'text', (c) => c.notNull())
    .addColumn('label', 'text')
    .addColumn('intervals', 'bigint', (c) => c.notNull())
    .addColumn('quantity', 'bigint', (c) => c.notNull())
    .addColumn('amount_micros', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('usage_days_key', ['account_id', 'dimension', 'day', 'part', 'value', 'meter'])
    .execute()
  await db.schema
    .createTable('spent')
    .addColumn('account_id', 'text', (c) => c.notNull())
    .addColumn('token_id', 'text', (c) => c.notNull())
    .addColumn('period', 'text', (c) => c.notNull())
    .addColumn('since', 'bigint', (c) => c.notNull())
    .addColumn('amount_micros', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('spent_key', ['account_id', 'token_id', 'period', 'since'])
    .execute()
  await addUp(db)
  await indexes(db)
}

/** Fills both empty tables with the sums of all intervals. */
export async function addUp(db: Kysely<unknown>): Promise<void> {
  await addUpDays(db)
  await addUpSpent(db)
}

/** Maximum number of computers, keys and labels with lines of their own in a day; this migration's own number. */
const linesPerDay = 1000
const dayMs = 86_400_000

/** Where a day has too many, the first ones used get lines. */
async function addUpDays(db: Kysely<unknown>): Promise<void> {
  const day = sql`u.ended_at / ${sql.lit(dayMs)}`
  const sums = sql`count(*), sum(u.quantity), sum(u.amount_micros)`
  await sql`
    insert into usage_days (account_id, dimension, day, part, value, meter, label, intervals, quantity, amount_micros)
    select u.account_id, 'all', ${day}, 'named', '', u.meter, null, ${sums}
    from usage_intervals u where u.quantity > 0 group by u.account_id, ${day}, u.meter`.execute(db)
  for (const { dimension, value, isKnown, label } of dimensions) {
    await sql`
      with sums as (
        select u.account_id as account_id, ${day} as day, case when ${isKnown} then 'named' else 'unknown' end as part,
          case when ${isKnown} then ${value} else '' end as value, u.meter as meter, max(${label}) as label,
          count(*) as intervals, sum(u.quantity) as quantity, sum(u.amount_micros) as amount_micros, min(u.ended_at) as first_at
        from usage_intervals u where u.quantity > 0 group by 1, 2, 3, 4, 5
      ), places as (
        select sums.*, case when part = 'named' and
          row_number() over (partition by account_id, day, part order by first_at, value, meter) > ${sql.lit(linesPerDay)}
          then 1 else 0 end as is_rest
        from sums
      )
      insert into usage_days (account_id, dimension, day, part, value, meter, label, intervals, quantity, amount_micros)
      select account_id, ${sql.lit(dimension)}, day, case is_rest when 1 then 'rest' else part end,
        case is_rest when 1 then '' else value end, meter, max(case is_rest when 1 then null else label end),
        sum(intervals), sum(quantity), sum(amount_micros)
      from places group by 1, 2, 3, 4, 5, 6`.execute(db)
  }
}

const dimensions = [
  { dimension: 'computer', value: sql`u.computer_id`, isKnown: sql`u.computer_id <> ''`, label: sql`u.label` },
  { dimension: 'key', value: sql`u.token_id`, isKnown: sql`u.token_id is not null`, label: sql`null` },
  { dimension: 'label', value: sql`u.label`, isKnown: sql`u.label is not null`, label: sql`null` },
]

/** Sums up months here, by days: databases compute calendar months in different ways, and there are few rows. */
async function addUpSpent(db: Kysely<unknown>): Promise<void> {
  const day = sql`u.ended_at / ${sql.lit(dayMs)} * ${sql.lit(dayMs)}`
  for (const tokenId of [sql`''`, sql`u.token_id`]) {
    await sql`
      insert into spent (account_id, token_id, period, since, amount_micros)
      select u.account_id, ${tokenId}, 'day', ${day}, sum(u.amount_micros) from usage_intervals u
      where u.amount_micros > 0 and ${tokenId} is not null group by 1, 2, 4`.execute(db)
  }
  const { rows } = await sql<{ since: number }>`select distinct since from spent`.execute(db)
  const months = new Set(rows.map(({ since }) => monthOf(Number(since))))
  for (const month of months) {
    const next = new Date(month).setUTCMonth(new Date(month).getUTCMonth() + 1)
    await sql`
      insert into spent (account_id, token_id, period, since, amount_micros)
      select account_id, token_id, 'month', ${sql.lit(month)}, sum(amount_micros) from spent
      where period = 'day' and since >= ${month} and since < ${next} group by account_id, token_id`.execute(db)
  }
}

function monthOf(atMs: number): number {
  const at = new Date(atMs)
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth())
}

async function indexes(db: Kysely<unknown>): Promise<void> {
  const add = (table: string, name: string, columns: string[]) =>
    db.schema.createIndex(name).ifNotExists().on(table).columns(columns).execute()
  // For pages of the history, except the rows on the page.
  await add('usage_intervals', 'usage_intervals_history', ['account_id', 'ended_at', 'id', 'quantity'])
  await db.schema.dropIndex('usage_intervals_account').execute()
  // For keys that are not revoked, however many were, and for the sign-ins of a user.
  await add('tokens', 'tokens_live', ['account_id', 'kind', 'revoked_at'])
  await db.schema.dropIndex('tokens_account').execute()
  await add('tokens', 'tokens_user', ['user_id', 'revoked_at', 'expires_at'])
  await add('magic_links', 'magic_links_email', ['email', 'created_at'])
  // For the oldest ones of an account, and of all.
  await add('processes', 'processes_account', ['account_id', 'state', 'ended_at'])
  await add('processes', 'processes_ended', ['state', 'ended_at'])
  // For lists and the quota, without the contents.
  await add('memory_files', 'memory_files_sizes', ['account_id', 'path', 'size', 'modified_at'])
  // For deletions.
  await add('events', 'events_account', ['account_id'])
}
