import type { Kysely, Transaction } from 'kysely'
import type { ComputerRow, Database } from '../../../db/schema.ts'
import type { Context } from '../../context.ts'
import type { PostingContext } from '../money.ts'
import { readSnapshot } from './cpu-snapshots.ts'
import { settleAccount } from './settle-usage.ts'

/** What a computer has used since it was created, up to the last interval that was recorded. */
export interface ComputerUsage {
  /** For how long it ran. */
  runtimeMs: number
  /** Processor time, as the kernel counts it. */
  cpuMs: number
  /** Its memory, times how long it ran with it, in MiB and milliseconds. */
  memoryMibMs: number
  /** What its disk holds now. */
  diskBytes: number
  updatedAtMs: number
}

type Sized = Pick<ComputerRow, 'id' | 'memory_bytes' | 'memory_mib_ms' | 'memory_counted_ms'>

/** Returns the usage of a computer, which `settleAccount` brings up to date. */
export async function computerUsage(
  engine: PostingContext & Pick<Context, 'driver'>,
  row: Sized & { account_id: string },
): Promise<ComputerUsage> {
  await settleAccount(engine, row.account_id)
  const { usedMicros, openMs, atMs } = await marksOf(engine.db, row.id)
  const stats = await engine.driver.stats(row.id).catch(() => undefined)
  return {
    runtimeMs: openMs,
    cpuMs: usedMicros / 1000,
    memoryMibMs: memoryMibMs(row, openMs),
    diskBytes: stats?.diskBytes ?? 0,
    updatedAtMs: atMs,
  }
}

/**
 * Keeps what a computer has used of its memory so far, in the transaction that gives it another size. The usage has to be
 * recorded up to now: `settleNow`.
 */
export async function keepMemoryUse(trx: Transaction<Database>, row: Sized): Promise<void> {
  const { openMs } = await marksOf(trx, row.id)
  await trx
    .updateTable('computers')
    .set({ memory_mib_ms: Math.round(memoryMibMs(row, openMs)), memory_counted_ms: Math.round(openMs) })
    .where('id', '=', row.id)
    .execute()
}

async function marksOf(db: Kysely<Database>, id: string) {
  return (await readSnapshot(db, id)) ?? { usedMicros: 0, openMs: 0, atMs: Date.now() }
}

function memoryMibMs({ memory_bytes, memory_mib_ms, memory_counted_ms }: Sized, openMs: number): number {
  const sinceMs = Math.max(0, openMs - Number(memory_counted_ms))
  return Number(memory_mib_ms) + sinceMs * (memory_bytes / MiB)
}

const MiB = 1024 ** 2
