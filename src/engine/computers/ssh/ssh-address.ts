import type { ComputerRow } from '../../../db/schema.ts'
import { transaction } from '../../../db/transaction.ts'
import { CarrelError } from '../../../errors.ts'
import type { Context } from '../../context.ts'
import { notSetUp } from '../../not-set-up.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'

type SshContext = Pick<ComputersContext, 'db' | 'node' | 'settings' | 'ssh'>

/** Where a plain SSH client connects. */
export interface SshAddress {
  host: string
  port: number
  user: string
}

/**
 * Returns the address of a computer's own port, which stays the same until the computer is deleted, as long as it is in
 * the configured range. Returns undefined where computers have no ports. Throws `no_capacity` when the range is used up.
 */
export async function sshAddress(engine: SshContext, computer: AccessibleComputer): Promise<SshAddress | undefined> {
  const { sshPorts, sshHost: host } = engine.settings
  if (!sshPorts) return undefined
  const port = await assignPort(engine, computer.row, sshPorts)
  await engine.ssh.onPort(computer.id, port)
  return { host, port, user: computer.image.user }
}

/** Returns what `sshAddress` returns. Throws `not_set_up` where computers have no ports. */
export async function requireSshAddress(engine: SshContext, computer: AccessibleComputer): Promise<SshAddress> {
  const address = await sshAddress(engine, computer)
  if (address) return address
  throw notSetUp('Cannot connect by SSH', 'computers have no SSH ports here', 'set CARREL_SSH_PORTS')
}

/** Where a client connects by TLS, and the name that it asks for. */
export interface SshEdge {
  host: string
  port: number
  serverName: string
}

/** Returns the address of the TLS port; undefined where there is none. */
export function sshEdge({ settings }: Pick<Context, 'settings'>, { id }: AccessibleComputer): SshEdge | undefined {
  const { sshEdgePort: port, sshHost: host, sshSuffix } = settings
  return port === undefined ? undefined : { host, port, serverName: `${id}.${sshSuffix}` }
}

/** Returns what `sshEdge` returns. Throws `not_set_up` where there is no TLS port. */
export function requireSshEdge(engine: Pick<Context, 'settings'>, computer: AccessibleComputer): SshEdge {
  const edge = sshEdge(engine, computer)
  if (edge) return edge
  throw notSetUp('Cannot connect by SSH', 'there is no TLS port for SSH here', 'set CARREL_SSH_EDGE_PORT')
}

/** Returns the ports of this node's computers that are in the range. */
export async function portsInUse({ db, node, settings: { sshPorts } }: Omit<SshContext, 'ssh'>) {
  if (!sshPorts) return []
  return db
    .selectFrom('ssh_ports')
    .innerJoin('computers', 'computers.id', 'ssh_ports.computer_id')
    .select(['ssh_ports.port', 'ssh_ports.computer_id'])
    .where('ssh_ports.node_id', '=', node.id)
    .where('ssh_ports.port', '>=', sshPorts.first)
    .where('ssh_ports.port', '<=', sshPorts.last)
    .execute()
}

function assignPort(
  { db, node }: SshContext,
  { id, account_id: queue }: Pick<ComputerRow, 'id'> & { account_id: string },
  { first, last }: { first: number; last: number },
): Promise<number> {
  return transaction(db, { kind: 'operational', queue }, async (trx) => {
    const own = await trx.selectFrom('ssh_ports').selectAll().where('computer_id', '=', id).executeTakeFirst()
    if (own && own.node_id === node.id && own.port >= first && own.port <= last) return own.port
    await trx.deleteFrom('ssh_ports').where('computer_id', '=', id).execute()
    const rows = await trx
      .selectFrom('ssh_ports')
      .select('port')
      .where('node_id', '=', node.id)
      .where('port', '>=', first)
      .where('port', '<=', last)
      .execute()
    const taken = new Set(rows.map((row) => row.port))
    for (let port = first; port <= last; port++) {
      if (taken.has(port)) continue
      await trx.insertInto('ssh_ports').values({ node_id: node.id, port, computer_id: id }).execute()
      return port
    }
    throw new CarrelError(
      'no_capacity',
      `Cannot give the computer a port for SSH: all ports from ${first} to ${last} are taken`,
    )
  })
}
