import type { Kysely, Transaction } from 'kysely'
import type { Database } from '../../../db/schema.ts'
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

/** Returns the last snapshot of a computer, or of all, by computer. */
export async function readSnapshots(db: Kysely<Database>, computerId?: string): Promise<Map<string, CpuSnapshot>> {
  let query = db.selectFrom('compute_marks').selectAll()
  if (computerId !== undefined) query = query.where('computer_id', '=', computerId)
  const rows = await query.execute()
  return new Map(
    rows.map(({ computer_id, account_id, cpus, counter_micros, used_micros, open_ms, at }) => [
      computer_id,
      {
        computerId: computer_id,
        accountId: account_id,
        cpus: Number(cpus),
        counterMicros: Number(counter_micros),
        usedMicros: Number(used_micros),
        openMs: Number(open_ms),
        atMs: Number(at),
      },
    ]),
  )
}
