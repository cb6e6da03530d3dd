import type { Context } from '../../context.ts'

/** Returns the bytes that an account's snapshots hold, on all nodes; what several of one computer share counts once. */
export async function snapshotStorage({ db }: Pick<Context, 'db'>, accountId: string): Promise<number> {
  const row = await db
    .selectFrom('snapshots')
    .select(({ fn }) => fn.sum<number>('added_bytes').as('bytes'))
    .where('account_id', '=', accountId)
    .executeTakeFirst()
  return Number(row?.bytes ?? 0)
}
