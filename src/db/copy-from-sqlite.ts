import { sql, type Kysely, type Transaction } from 'kysely'
import type { Database } from './schema.ts'
import { transaction } from './transaction.ts'

/**
 * How many rows of each table are written at once: few where rows are large. In the order of writing: rows before those
 * that refer to them. A table that is missing here does not compile.
 */
const rowsAtOnce: { [Table in keyof Database]: number } = {
  deployment: 1,
  nodes: 100,
  duties: 100,
  uptime_hours: 500,
  secrets: 100,
  accounts: 500,
  users: 500,
  identities: 500,
  memberships: 500,
  invitations: 500,
  tokens: 500,
  magic_links: 500,
  spent_refresh_tokens: 500,
  computers: 500,
  snapshots: 500,
  processes: 100,
  ports: 500,
  access_sessions: 500,
  shares: 500,
  memory_files: 1,
  events: 500,
  operations: 100,
  idempotency: 10,
  usage_intervals: 500,
  usage_remainders: 500,
  compute_marks: 500,
  usage_days: 500,
  spent: 500,
  ledger_books: 500,
  ledger_transactions: 500,
  ledger_entries: 500,
  ledger_holds: 500,
  spending_limits: 500,
  payments: 100,
  person_settings: 500,
  machine_payments: 100,
  spent_wallet_proofs: 500,
  first_credits: 500,
  ssh_keys: 500,
  ssh_certificates: 500,
  ssh_ports: 500,
  datasets: 500,
  samples: 500,
  sample_tasks: 10,
  sessions: 500,
  interactions: 50,
}

export interface CopiedTable {
  table: string
  rows: number
}

/**
 * Copies all rows of a SQLite database into another one with the same tables: all of them or none. Replaces what the
 * migrations have put into the target. No server may use either meanwhile. Throws when the target has accounts.
 *
 * @param deploymentId the id that tells the target from the file, which falls behind
 */
export async function copyFromSqlite(
  from: Kysely<Database>,
  to: Kysely<Database>,
  deploymentId: string,
): Promise<CopiedTable[]> {
  return transaction(to, 'durable', async (trx) => {
    if (await trx.selectFrom('accounts').select('id').limit(1).executeTakeFirst()) throw hasOtherData()
    const copied: CopiedTable[] = []
    for (const table of Object.keys(rowsAtOnce) as (keyof Database)[])
      copied.push({ table, rows: await copyTable(from, trx, table) })
    await trx.updateTable('deployment').set({ id: deploymentId }).execute()
    return copied
  })
}

/** The failure of a copy into a target that is not empty. */
export function hasOtherData(): Error {
  return new Error(
    'Cannot copy the database: the target has data of its own; set CARREL_DATABASE_URL to an empty database',
  )
}

async function copyTable(from: Kysely<Database>, to: Transaction<Database>, table: keyof Database): Promise<number> {
  await to.deleteFrom(table).execute()
  let count = 0
  let batch: Record<string, unknown>[] = []
  const write = async () => {
    if (batch.length > 0) await to.insertInto(table).values(batch).execute()
    count += batch.length
    batch = []
  }
  // In the order in which they were written, as a transaction can refer to an earlier one of its table.
  for await (const row of from
    .selectFrom(table)
    .selectAll()
    .orderBy(sql`rowid`)
    .stream()) {
    if (batch.push(row) >= rowsAtOnce[table]) await write()
  }
  await write()
  return count
}
