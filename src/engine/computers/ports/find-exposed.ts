import type { Duplex } from 'node:stream'
import { CarrelError } from '../../../errors.ts'
import type { Context } from '../../context.ts'
import type { ComputersContext } from '../computers.ts'

declare const granted: unique symbol

/**
 * An exposed port of a running computer: anyone who knows its preview name may connect to it. Only `findExposed` makes
 * one.
 */
export interface AccessiblePort {
  readonly computerId: string
  readonly port: number
  /** The account that owns the computer. */
  readonly accountId: string
  /** For the compiler only. */
  readonly [granted]: true
}

/**
 * Returns the port behind a preview name. Throws `not_found` when no such port is exposed, `other_node` when its computer
 * is on another server, `computer_stopped` when the computer does not run.
 */
export async function findExposed(
  engine: Pick<ComputersContext, 'db' | 'node' | 'exposedPorts'>,
  { computerId, port }: { computerId: string; port: number },
): Promise<AccessiblePort> {
  const accountId =
    engine.exposedPorts.ownerOf(computerId, port) ??
    (await engine.exposedPorts.remember(computerId, port, () => findOwner(engine, computerId, port)))
  return { computerId, port, accountId } as AccessiblePort
}

/** Connects to an exposed port, with the options and errors of the driver's `dial`. */
export function dialExposed(
  { driver }: Pick<Context, 'driver'>,
  { computerId, port }: AccessiblePort,
  options?: { onRead?: ((bytes: Buffer) => void) | undefined; signal?: AbortSignal | undefined },
): Promise<Duplex> {
  return driver.dial(computerId, port, options)
}

async function findOwner(
  { db, node }: Pick<Context, 'db' | 'node'>,
  computerId: string,
  port: number,
): Promise<string> {
  const row = await db
    .selectFrom('ports')
    .innerJoin('computers', 'computers.id', 'ports.computer_id')
    .select(['computers.state', 'computers.account_id', 'computers.node_id'])
    .where('ports.computer_id', '=', computerId)
    .where('ports.port', '=', port)
    .executeTakeFirst()
  if (!row || row.account_id === null)
    throw new CarrelError('not_found', 'Cannot open the preview: no such port is exposed')
  // The visitor of a preview learns neither the node nor its address.
  if (row.node_id !== node.id)
    throw new CarrelError('other_node', 'Cannot open the preview: the computer is on another server')
  if (row.state !== 'running')
    throw new CarrelError('computer_stopped', `Cannot open the preview: the computer is ${row.state}`, {
      details: { state: row.state },
    })
  return row.account_id
}
