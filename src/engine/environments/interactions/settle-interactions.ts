import type { EnvironmentsContext } from '../environments.ts'
import { failed } from './outcome-of.ts'
import { followProcess, recordEnd } from './record-end.ts'

/**
 * Goes on with the interactions of this node that nobody follows: those of an earlier server, and those whose end the
 * database did not take. One whose process never began, or of which nothing is known, has failed.
 */
export async function settleInteractions(engine: EnvironmentsContext): Promise<void> {
  const rows = await engine.db
    .selectFrom('interactions')
    .select('id')
    .where('node_id', '=', engine.node.id)
    .where('status', '=', 'pending')
    .execute()
  for (const { id } of rows) {
    if (engine.openInteractions.has(id)) continue
    const process = engine.driver.process(id)
    if (process) followProcess(engine, process)
    else await recordEnd(engine, id, failed('The server ended before the command began, or its record was lost'))
  }
}
