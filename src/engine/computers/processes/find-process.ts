import { CarrelError } from '../../../errors.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import { isOfCaller } from './process-meta.ts'
import { rowOf, type ProcessFacts } from './recorder.ts'
import type { Context } from '../../context.ts'

/**
 * Returns a process of a computer by its id, or by the name that its caller gave it: the newest process of that name.
 * Throws `not_found`, also for a kernel: its input and output are a protocol between it and the server.
 */
export async function findProcess(
  engine: Pick<Context, 'db' | 'driver'>,
  { id: computerId }: AccessibleComputer,
  idOrName: string,
): Promise<ProcessFacts> {
  const live = engine.driver
    .processesOn(computerId)
    .findLast((live) => isOfCaller(live) && (live.processId === idOrName || live.meta.name === idOrName))
  if (live) return rowOf(live, live.exit)
  const row = await engine.db
    .selectFrom('processes')
    .selectAll()
    .where('computer_id', '=', computerId)
    .where('kind', '!=', 'kernel')
    .where((eb) => eb.or([eb('id', '=', idOrName), eb('name', '=', idOrName)]))
    .orderBy('started_at', 'desc')
    .executeTakeFirst()
  if (row) return row
  throw new CarrelError(
    'not_found',
    `Cannot find process ${JSON.stringify(idOrName.slice(0, 128))}: the sandbox has no process of that id or name`,
    { details: { field: 'processId' } },
  )
}
