import type { Kysely, Transaction } from 'kysely'
import type { ComputerState, Database, NodeRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import type { Context } from '../../context.ts'
import { lifecyclesWhere } from '../../lifecycle-policy.ts'
import type { Size } from './sizes.ts'

/** What of this node's memory and storage is there for computers that keep their files, in bytes. */
export interface Capacity {
  memoryBytes: number
  diskBytes: number
  freeMemoryBytes: number
  freeDiskBytes: number
}

/**
 * Returns the capacity of this node. Storage is promised to a computer until it is deleted, memory while it runs or is
 * about to; a snapshot takes what it adds. `besides` leaves one computer out, so that another size for it can be judged.
 */
export async function capacityOf(
  { node, settings }: Pick<Context, 'node' | 'settings'>,
  db: Kysely<Database> | Transaction<Database>,
  besides?: string,
): Promise<Capacity> {
  const host = await db
    .selectFrom('nodes')
    .select(['memory_bytes', 'disk_bytes'])
    .where('id', '=', node.id)
    .executeTakeFirstOrThrow()
  const rows = await db
    .selectFrom('computers')
    .select(({ fn }) => ['state', fn.sum<number>('memory_bytes').as('memory'), fn.sum<number>('disk_bytes').as('disk')])
    .where('node_id', '=', node.id)
    .where('lifecycle', 'in', lasting)
    .where('id', '!=', besides ?? '')
    .groupBy('state')
    .execute()
  const snapshots = await db
    .selectFrom('snapshots')
    .select(({ fn }) => fn.sum<number>('added_bytes').as('bytes'))
    .where('node_id', '=', node.id)
    .executeTakeFirst()
  const total = totalOf(host, settings)
  const sum = (of: readonly { memory: number; disk: number }[], what: 'memory' | 'disk') =>
    of.reduce((bytes, row) => bytes + Number(row[what]), 0)
  return {
    ...total,
    freeMemoryBytes:
      total.memoryBytes -
      sum(
        rows.filter(({ state }) => !atRest.has(state)),
        'memory',
      ),
    freeDiskBytes: total.diskBytes - sum(rows, 'disk') - Number(snapshots?.bytes ?? 0),
  }
}

/** Returns `capacityOf` as it is now. */
export function readCapacity(engine: Pick<Context, 'db' | 'node' | 'settings'>, besides?: string): Promise<Capacity> {
  return capacityOf(engine, engine.db, besides)
}

/**
 * Throws `no_capacity` where this node has no room for a computer of this size that starts, or for several. `besides` is
 * as of `capacityOf`.
 */
export async function assertCapacity(
  engine: Pick<Context, 'node' | 'settings'>,
  trx: Transaction<Database>,
  size: Pick<Size, 'memoryBytes' | 'diskBytes'>,
  { doing, count = 1, besides }: { doing: string; count?: number; besides?: string },
): Promise<void> {
  const { freeMemoryBytes, freeDiskBytes } = await capacityOf(engine, trx, besides)
  assertFits(doing, 'memory', count * size.memoryBytes, freeMemoryBytes)
  assertFits(doing, 'storage', count * size.diskBytes, freeDiskBytes)
}

/** Throws `no_capacity` where this node has no memory for a computer that exists and starts. */
export async function assertMemory(
  engine: Pick<Context, 'node' | 'settings'>,
  db: Kysely<Database> | Transaction<Database>,
  row: { id: string; memory_bytes: number },
  doing: string,
): Promise<void> {
  const { freeMemoryBytes } = await capacityOf(engine, db, row.id)
  assertFits(doing, 'memory', row.memory_bytes, freeMemoryBytes)
}

/** Throws `no_capacity` when more is needed than is free. */
export function assertFits(doing: string, what: string, bytes: number, freeBytes: number): void {
  if (bytes <= freeBytes) return
  const [wanted, free] = [bytes, Math.max(0, freeBytes)].map((value) => Math.floor(value / MiB))
  throw new CarrelError(
    'no_capacity',
    `${doing}: it needs ${wanted} MiB of ${what}, and the host has ${free} MiB that is not promised to others`,
    { details: { what, neededMib: wanted, freeMib: free } },
  )
}

function totalOf(host: Pick<NodeRow, 'memory_bytes' | 'disk_bytes'>, settings: Context['settings']) {
  return {
    memoryBytes: Math.floor(host.memory_bytes * settings.memoryOvercommit),
    diskBytes: Math.floor(host.disk_bytes * settings.diskOvercommit),
  }
}

const lasting = lifecyclesWhere(({ keepsFiles }) => keepsFiles)
/** States in which a computer takes no memory. */
const atRest: ReadonlySet<ComputerState> = new Set<ComputerState>(['stopped', 'failed', 'deleting'])
const MiB = 1024 ** 2
