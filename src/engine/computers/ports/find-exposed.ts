import type { Duplex } from 'node:stream'
import { CarrelError } from '../../../errors.ts'
import type { ComputerRow } from '../../../db/schema.ts'
import type { Context } from '../../context.ts'
import { policyOf } from '../../lifecycle-policy.ts'
import type { ComputersContext } from '../computers.ts'
import type { ExposedPort } from './exposed-ports.ts'
import { portVisitor, type PortVisitor, type VisitorContext } from './port-visitor.ts'

declare const granted: unique symbol

/**
 * An exposed port of a running computer, which its visitor may connect to. Only `findExposed` makes one.
 */
export interface AccessiblePort {
  readonly computerId: string
  readonly port: number
  /** The account that owns the computer. */
  readonly accountId: string
  /** Whether the computer keeps its files when it stops. */
  readonly keepsFiles: boolean
  /** Who opens it; undefined for a public port. */
  readonly visitor?: PortVisitor
  /** For the compiler only. */
  readonly [granted]: true
}

/**
 * Returns the port behind a preview name: a public one to everybody who knows that name, a private one to a visitor whose
 * credential `portVisitor` accepts. Throws `unauthenticated` to a stranger at a private port, `not_found` when no such port is exposed, `other_node` when its computer
 * is on another server, `computer_stopped` with its state when the computer does not run, and with how long it was not
 * used when that is why.
 */
export async function findExposed(
  engine: Pick<ComputersContext, 'db' | 'node' | 'settings' | 'exposedPorts'> & VisitorContext,
  { computerId, port }: { computerId: string; port: number },
  credential?: string,
): Promise<AccessiblePort> {
  const found =
    engine.exposedPorts.get(computerId, port) ??
    (await engine.exposedPorts.remember(computerId, port, () => find(engine, computerId, port)))
  const { accountId, isPrivate, keepsFiles } = found
  if (!isPrivate) return { computerId, port, accountId, keepsFiles } as AccessiblePort
  const visitor = credential === undefined ? undefined : await portVisitor(engine, { computerId, port }, credential)
  if (visitor) return { computerId, port, accountId, keepsFiles, visitor } as AccessiblePort
  throw new CarrelError('unauthenticated', 'Cannot open the preview: it is private', { details: { isPrivate } })
}

/**
 * Calls `end`, which must not throw, when a connection to a port may not stay open any more: the port is private now or
 * not published, or its visitor has lost access. Returns a function to call when the connection is closed.
 */
export function whileOpen(
  { portVisits }: Pick<ComputersContext, 'portVisits'>,
  { computerId, port, visitor }: AccessiblePort,
  end: () => void,
): () => void {
  const stops = [portVisits.add(computerId, port, end), visitor?.whileAllowed(end)]
  return () => {
    for (const stop of stops.splice(0)) stop?.()
  }
}

/** Connects to an exposed port, with the options and errors of the driver's `dial`. */
export function dialExposed(
  { driver }: Pick<Context, 'driver'>,
  { computerId, port }: AccessiblePort,
  options?: { onRead?: ((bytes: Buffer) => void) | undefined; signal?: AbortSignal | undefined },
): Promise<Duplex> {
  return driver.dial(computerId, port, options)
}

async function find(
  { db, node, settings }: Pick<Context, 'db' | 'node' | 'settings'>,
  computerId: string,
  port: number,
): Promise<ExposedPort> {
  const row = await db
    .selectFrom('ports')
    .innerJoin('computers', 'computers.id', 'ports.computer_id')
    .select(['computers.state', 'computers.state_reason', 'computers.account_id', 'computers.node_id'])
    .select(['computers.lifecycle', 'computers.idle_timeout_ms', 'ports.visibility'])
    .where('ports.computer_id', '=', computerId)
    .where('ports.port', '=', port)
    .executeTakeFirst()
  if (!row || row.account_id === null)
    throw new CarrelError('not_found', 'Cannot open the preview: no such port is exposed')
  const { keepsFiles } = policyOf(row)
  // The visitor of a preview learns neither the node nor its address.
  if (row.node_id !== node.id)
    throw new CarrelError('other_node', 'Cannot open the preview: the computer is on another server', {
      details: { keepsFiles },
    })
  if (row.state !== 'running')
    throw new CarrelError('computer_stopped', `Cannot open the preview: the computer is ${row.state}`, {
      details: { state: row.state, keepsFiles, ...idleTime(row, settings) },
    })
  return { accountId: row.account_id, isPrivate: row.visibility === 'private', keepsFiles }
}

type Stopped = Pick<ComputerRow, 'state_reason' | 'lifecycle' | 'idle_timeout_ms'>

/**
 * Returns how long a computer was not used before it stopped, if that is why. A visitor learns no other reason, such as
 * credit that ran out.
 */
function idleTime(row: Stopped, settings: Context['settings']): { idleMs?: number } {
  const idleMs = row.state_reason === 'idle' ? policyOf(row).idleTimeoutMs(row, settings) : null
  return idleMs === null ? {} : { idleMs }
}
