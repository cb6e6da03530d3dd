import { mapWithLimit } from '../../../map-with-limit.ts'
import { clearRuntimeState } from './clear-runtime-state.ts'
import type { ComputerContext } from './computer-context.ts'

/**
 * Ends all running computers and unmounts all roots. Returns the ids of those that ran; their exits are not reported.
 */
export async function endAllComputers(context: ComputerContext): Promise<string[]> {
  const ids = context.states.running().map(({ id }) => id)
  await mapWithLimit(ids, maxConcurrent, (id) => endComputer(context, id))
  await context.roots.unmountAll()
  return ids
}

async function endComputer(context: ComputerContext, id: string): Promise<void> {
  const { states, monitor, lock, log } = context
  await monitor()
    .request({ op: 'stopping', computerId: id })
    .catch(() => {})
  void states.expectExit(id)
  // The next start tries again to remove what cannot be removed now.
  await lock
    .run(id, () => clearRuntimeState(context, id))
    .catch((error: unknown) => log?.warn({ err: error, computer: id }, 'cannot clean up a computer'))
  states.stopExpectingExit(id)
}

const maxConcurrent = 8
