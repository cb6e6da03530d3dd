import type { ComputerRow } from '../../db/schema.ts'
import { CarrelError } from '../../errors.ts'
import type { Engine } from '../engine.ts'

/** The running computer behind a preview name. `not_found` when the port is not exposed, `computer_stopped` when it does not run. */
export async function findExposed(
  engine: Engine,
  computerId: string,
  port: number,
): Promise<Pick<ComputerRow, 'id' | 'account_id'>> {
  const row = await engine.db
    .selectFrom('ports')
    .innerJoin('computers', 'computers.id', 'ports.computer_id')
    .select(['computers.id', 'computers.account_id', 'computers.state'])
    .where('ports.computer_id', '=', computerId)
    .where('ports.port', '=', port)
    .executeTakeFirst()
  if (!row) throw new CarrelError('not_found', 'Cannot open the preview: no such port is exposed')
  if (row.state !== 'running')
    throw new CarrelError('computer_stopped', `Cannot open the preview: the computer is ${row.state}`, {
      details: { state: row.state },
    })
  return row
}
