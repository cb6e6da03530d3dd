import { limits } from '../../../config/limits.ts'
import type { SnapshotRow } from '../../../db/schema.ts'
import type { Context } from '../../context.ts'
import type { MoneyContext } from '../money.ts'
import { chargeUsage } from './charge-usage.ts'
import type { UsageInterval } from './record-usage.ts'

type MeasureContext = Pick<MoneyContext, 'db' | 'node' | 'driver' | 'settings' | 'server' | 'prices' | 'credit'>

/**
 * Records what the snapshots of this node hold, for the last hour at most, as cold storage. A block that several
 * snapshots of one computer have is counted once, and not at all while it is on the computer's own bill.
 */
export async function measureSnapshots(engine: MeasureContext, now: number = Date.now()): Promise<void> {
  for (let after = ''; ;) {
    const families = await familiesAfter(engine, after)
    if (families.length === 0) return
    for (const family of families) {
      const rows = await corrected(engine, family)
      const interval = await intervalOf(engine, rows, now)
      if (interval) await chargeUsage(engine, [interval])
      await recordMeasured(engine, rows, now)
    }
    after = families.at(-1)![0]!.computer_id
  }
}

/** Returns what the snapshots of an account on this node hold beyond its computers' disks, in bytes. */
export async function snapshotBytes(
  engine: Pick<Context, 'db' | 'node' | 'driver'>,
  accountId: string,
): Promise<number> {
  const rows = await engine.db
    .selectFrom('snapshots')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('added_bytes', 'is not', null)
    .execute()
  let bytes = 0
  for (const family of familiesOf(rows.filter(({ node_id }) => node_id === engine.node.id))) {
    const added = family.reduce((sum, row) => sum + Number(row.added_bytes), 0)
    bytes += Math.max(0, added - (await sharedBytes(engine, family[0]!)))
  }
  return bytes
}

/** Returns the snapshots of the next computers, by computer and files. */
async function familiesAfter({ db, node }: Pick<Context, 'db' | 'node'>, after: string): Promise<SnapshotRow[][]> {
  const computers = await db
    .selectFrom('snapshots')
    .select('computer_id')
    .where('node_id', '=', node.id)
    .where('computer_id', '>', after)
    .groupBy('computer_id')
    .orderBy('computer_id')
    .limit(computersAtOnce)
    .execute()
  if (computers.length === 0) return []
  const rows = await db
    .selectFrom('snapshots')
    .selectAll()
    .where(
      'computer_id',
      'in',
      computers.map(({ computer_id }) => computer_id),
    )
    .orderBy('computer_id')
    .execute()
  return familiesOf(rows)
}

function familiesOf(rows: readonly SnapshotRow[]): SnapshotRow[][] {
  const families = Map.groupBy(rows, ({ computer_id, files_since }) => `${computer_id}/${files_since}`)
  return [...families.values()]
}

/**
 * Returns the snapshots with what each adds, which is at least what it alone has: blocks that the computer had in common
 * with a fork, or with a snapshot that was being deleted, did not count when the snapshot was taken.
 */
async function corrected({ db, driver }: Pick<Context, 'db' | 'driver'>, rows: SnapshotRow[]): Promise<SnapshotRow[]> {
  const all: SnapshotRow[] = []
  for (const row of rows) {
    const exclusiveBytes = (await driver.snapshotUse(row.id).catch(() => undefined))?.exclusiveBytes ?? 0
    const isMore = row.state === 'ready' && exclusiveBytes > Number(row.added_bytes ?? 0)
    if (isMore)
      await db.updateTable('snapshots').set({ added_bytes: exclusiveBytes }).where('id', '=', row.id).execute()
    all.push(isMore ? { ...row, added_bytes: exclusiveBytes } : row)
  }
  return all
}

async function intervalOf(
  engine: Pick<Context, 'db' | 'driver'>,
  rows: readonly SnapshotRow[],
  now: number,
): Promise<UsageInterval | undefined> {
  const [first] = rows
  const since = (row: SnapshotRow) => Math.max(Number(row.measured_at), now - limits.storageIntervalMs)
  const startedAtMs = Math.min(...rows.map(since))
  const addedKibSeconds = rows.reduce((sum, row) => sum + kibSeconds(Number(row.added_bytes ?? 0), now - since(row)), 0)
  const sharedKibSeconds = kibSeconds(await sharedBytes(engine, first!), now - startedAtMs)
  const quantity = Math.floor(addedKibSeconds - sharedKibSeconds)
  if (quantity < 1) return undefined
  return {
    id: `usage:${first!.computer_id}:snapshots:${first!.files_since}:${startedAtMs}`,
    accountId: first!.account_id,
    computerId: null,
    meter: 'storage_cold',
    startedAtMs,
    endedAtMs: now,
    quantity,
    tokenId: null,
    label: first!.computer_name,
  }
}

/** Returns what the computer of a snapshot has in common with any snapshot; 0 when it is gone or has other files now. */
async function sharedBytes(
  { db, driver }: Pick<Context, 'db' | 'driver'>,
  { computer_id: id, files_since }: SnapshotRow,
): Promise<number> {
  const computer = await db
    .selectFrom('computers')
    .select(['created_at', 'restored_at'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (Number(computer?.restored_at ?? computer?.created_at) !== Number(files_since)) return 0
  if (!(await driver.get(id))) return 0
  const stats = await driver.stats(id).catch(() => undefined)
  return stats?.diskBytes === undefined ? 0 : stats.diskBytes - (stats.exclusiveDiskBytes ?? 0)
}

async function recordMeasured({ db }: Pick<Context, 'db'>, rows: readonly SnapshotRow[], now: number): Promise<void> {
  await db
    .updateTable('snapshots')
    .set({ measured_at: now })
    .where(
      'id',
      'in',
      rows.map(({ id }) => id),
    )
    .execute()
}

function kibSeconds(bytes: number, ms: number): number {
  return (bytes / 1024) * (ms / 1000)
}

const computersAtOnce = 100
