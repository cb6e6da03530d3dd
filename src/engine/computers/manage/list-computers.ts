import { Slices } from '../../../slices.ts'
import type { Caller } from '../../caller.ts'
import { policyOf } from '../../lifecycle-policy.ts'
import type { ComputersContext } from '../computers.ts'
import type { OwnedRow } from '../access/look-up.ts'
import { isOfCaller } from '../processes/process-meta.ts'

export interface ComputerSummary {
  id: string
  name: string
  state: OwnedRow['state']
  stateReason: string | null
  /** When the computer reached its state. */
  sinceMs: number
  createdAtMs: number
  /** Whether its files survive a stop. */
  keepsFiles: boolean
  /** undefined for a computer of another node, where the rest is known. */
  here: ComputerHere | undefined
}

/** What only the server of a computer's node knows. */
interface ComputerHere {
  /** Running processes, without the kernels that wait for calls. */
  processes: number
  /** How long nothing has used the computer; undefined when it does not run, or was not used since the server's start. */
  idleMs: number | undefined
  /** The idle time after which it is stopped; null for never. */
  idleTimeoutMs: number | null
  /** undefined where the storage does not count it. */
  diskBytes: number | undefined
  diskLimitBytes: number
  /** Ascending. */
  ports: { port: number; isExposed: boolean; isListening: boolean }[]
}

interface Page {
  /** Only the computer of this name. */
  name?: string | undefined
  /** Only names after this one. */
  after?: string | undefined
  limit: number
}

type ListContext = Pick<ComputersContext, 'db' | 'driver' | 'node' | 'activity' | 'settings' | 'portWatch'>

/**
 * Returns a page of the computers of the caller's account, ordered by name, and the name after which the next page
 * begins; undefined after the last page. Looking is no use: the idle time of the computers runs.
 */
export async function listComputers(
  engine: ListContext,
  { accountId }: Caller,
  { name, after, limit }: Page,
): Promise<{ computers: ComputerSummary[]; next: string | undefined }> {
  const rows = await engine.db
    .selectFrom('computers')
    .selectAll()
    .where('account_id', '=', accountId)
    .$if(name !== undefined, (query) => query.where('name', '=', name!))
    .$if(after !== undefined, (query) => query.where('name', '>', after!))
    .orderBy('name')
    .limit(limit + 1)
    .execute()
  const shown = rows.slice(0, limit) as OwnedRow[]
  const exposed = await exposedPorts(
    engine,
    shown.map(({ id }) => id),
  )
  const slices = new Slices(accountId)
  const computers: ComputerSummary[] = []
  for (const row of shown) {
    computers.push(await summaryOf(engine, row, exposed.get(row.id) ?? []))
    if (slices.isOver) await slices.next()
  }
  return { computers, next: rows.length > limit ? (shown.at(-1)?.name ?? undefined) : undefined }
}

async function exposedPorts({ db }: Pick<ListContext, 'db'>, ids: string[]): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>()
  if (ids.length === 0) return found
  const rows = await db.selectFrom('ports').select(['computer_id', 'port']).where('computer_id', 'in', ids).execute()
  for (const { computer_id: id, port } of rows) found.set(id, [...(found.get(id) ?? []), port])
  return found
}

async function summaryOf(engine: ListContext, row: OwnedRow, exposed: number[]): Promise<ComputerSummary> {
  const { id, name, state, state_reason: stateReason, updated_at: sinceMs, created_at: createdAtMs } = row
  const here = row.node_id === engine.node.id ? await hereOf(engine, row, exposed) : undefined
  const { keepsFiles } = policyOf(row)
  return { id, name: name ?? '', state, stateReason, sinceMs, createdAtMs, keepsFiles, here }
}

async function hereOf(engine: ListContext, row: OwnedRow, exposed: number[]): Promise<ComputerHere> {
  const { id } = row
  const isRunning = row.state === 'running'
  const processes = engine.driver.processesOn(id).filter((process) => !process.exit && isOfCaller(process)).length
  const listening = new Set(isRunning ? (await engine.portWatch.scan(id)).map(({ port }) => port) : [])
  const ports = [...new Set([...exposed, ...listening])]
    .toSorted((a, b) => a - b)
    .map((port) => ({ port, isExposed: exposed.includes(port), isListening: listening.has(port) }))
  return {
    processes,
    idleMs: isRunning ? idleMs(engine, id, processes) : undefined,
    idleTimeoutMs: policyOf(row).idleTimeoutMs(row, engine.settings),
    // A stopped sandbox has no disk, and one that is being deleted has none any more.
    diskBytes: isRunning ? (await engine.driver.stats(id).catch(() => undefined))?.diskBytes : undefined,
    diskLimitBytes: row.disk_bytes,
    ports,
  }
}

function idleMs({ activity }: Pick<ListContext, 'activity'>, id: string, processes: number): number | undefined {
  if (activity.inUse(id) || processes > 0) return 0
  const lastUsedAtMs = activity.lastUsedAtMs(id)
  return lastUsedAtMs === undefined ? undefined : Math.max(0, Date.now() - lastUsedAtMs)
}
