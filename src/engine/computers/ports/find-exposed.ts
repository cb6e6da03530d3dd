import { CarrelError } from '../../../errors.ts'
import type { ComputersContext } from '../computers.ts'

/** The account whose running computer a preview name leads to. `not_found` when the port is not exposed, `computer_stopped` when it does not run. */
export async function findExposed(
  engine: Pick<ComputersContext, 'db' | 'exposedPorts'>,
  computerId: string,
  port: number,
): Promise<string> {
  const owner = engine.exposedPorts.ownerOf(computerId, port)
  if (owner !== undefined) return owner
  return engine.exposedPorts.remember(computerId, port, async () => {
    const row = await engine.db
      .selectFrom('ports')
      .innerJoin('computers', 'computers.id', 'ports.computer_id')
      .select(['computers.state', 'computers.account_id'])
      .where('ports.computer_id', '=', computerId)
      .where('ports.port', '=', port)
      .executeTakeFirst()
    if (!row || row.account_id === null)
      throw new CarrelError('not_found', 'Cannot open the preview: no such port is exposed')
    if (row.state !== 'running')
      throw new CarrelError('computer_stopped', `Cannot open the preview: the computer is ${row.state}`, {
        details: { state: row.state },
      })
    return row.account_id
  })
}
