import type { Kysely, Transaction } from 'kysely'
import type { ComputeMarkRow, Database } from '../../../db/schema.ts'
import type { CpuSnapshot } from './metered-computer.ts'

/** Writes the kernel's processor time of computers, in the transaction that charges their usage. */
export async function writeSnapshots(trx: Transaction<Database>, snapshots: readonly CpuSnapshot[]): Promise<void> {
  if (snapshots.length === 0) return
  await trx
    .insertInto('compute_marks')
    .values(
      snapshots.map(({ computerId, accountId, cpus, counterMicros, usedMicros, openMs, atMs }) => ({
        computer_id: computerId,
        account_id: accountId,
        cpus,
        counter_micros: counterMicros,
        used_micros: usedMicros,
        open_ms: Math.round(openMs),
        at: Math.round(atMs),
      })),
    )
    .onConflict((conflict) =>
      conflict.column('computer_id').doUpdateSet((eb) => ({
        counter_micros: eb.ref('excluded.counter_micros'),
        used_micros: eb.ref('excluded.used_micros'),
        open_ms: eb.ref('excluded.open_ms'),
        at: eb.ref('excluded.at'),
      })),
    )
    .execute()
}

/** Returns the last snapshot of a computer; undefined when there is none. */
export async function readSnapshot(db: Kysely<Database>, computerId: string): Promise<CpuSnapshot | undefined> {
  const row = await db.selectFrom('compute_marks').selectAll().where('computer_id', '=', computerId).executeTakeFirst()
  return row && snapshotOf(row)
}

/** Returns the last snapshots of a node's computers, by computer. */
export async function nodeSnapshots(db: Kysely<Database>, nodeId: string): Promise<Map<string, CpuSnapshot>> {
  const rows = await db
    .selectFrom('compute_marks')
    .selectAll()
    .where('computer_id', 'in', (eb) => eb.selectFrom('computers').select('id').where('node_id', '=', nodeId))
    .execute()
  return new Map(rows.map((row) => [row.computer_id, snapshotOf(row)]))
}

function snapshotOf(row: ComputeMarkRow): CpuSnapshot {
  return {
    computerId: row.computer_id,
    accountId: row.account_id,
    cpus: Number(row.cpus),
    counterMicros: Number(row.counter_micros),
    usedMicros: Number(row.used_micros),
    openMs: Number(row.open_ms),
    atMs: Number(row.at),
  }
}
