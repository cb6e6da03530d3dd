import type { ComputerRow } from '../../../db/schema.ts'
import type { Context } from '../../context.ts'

/**
 * Calls `work` inside a computer's lock, with the row as it is there; does nothing when the computer no longer runs.
 */
export function whileRunning(
  engine: Pick<Context, 'db' | 'locks'>,
  id: string,
  work: (row: ComputerRow) => Promise<void>,
): Promise<void> {
  return engine.locks.computer(id, async () => {
    const row = await engine.db
      .selectFrom('computers')
      .selectAll()
      .where('id', '=', id)
      .where('state', '=', 'running')
      .executeTakeFirst()
    if (row) await work(row)
  })
}
