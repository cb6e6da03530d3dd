import type { Kysely } from 'kysely'
import type { Database, Meter } from '../../db/schema.ts'

export interface UsedPiece {
  meter: Meter
  computerId: string
  startedAtMs: number
  endedAtMs: number
  /** In the meter's unit, see `config/price-book.ts`. */
  quantity: number
  amountMicros: number
}

/** What an account used, piece by piece, the newest first. `page` is from 1 on. */
export async function usageHistory(
  db: Kysely<Database>,
  accountId: string,
  { page, limit }: { page: number; limit: number },
): Promise<{ count: number; pieces: UsedPiece[] }> {
  const used = db.selectFrom('usage_intervals').where('account_id', '=', accountId).where('quantity', '>', 0)
  const { count } = await used.select((eb) => eb.fn.countAll().as('count')).executeTakeFirstOrThrow()
  const rows = await used
    .selectAll()
    .orderBy('ended_at', 'desc')
    .orderBy('id')
    .limit(limit)
    .offset((page - 1) * limit)
    .execute()
  const pieces = rows.map((row) => ({
    meter: row.meter,
    computerId: row.computer_id,
    startedAtMs: Number(row.started_at),
    endedAtMs: Number(row.ended_at),
    quantity: Number(row.quantity),
    amountMicros: Number(row.amount_micros),
  }))
  return { count: Number(count), pieces }
}
