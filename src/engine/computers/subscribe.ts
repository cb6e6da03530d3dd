import type { AccessibleComputer } from './access/open-computer.ts'
import type { ComputersContext } from './computers.ts'
import type { LiveEvent } from './live-events.ts'

/** Calls `listener`, which must not throw, with each live event of a computer until the returned function is called. */
export function subscribe(
  { liveEvents }: Pick<ComputersContext, 'liveEvents'>,
  { id }: AccessibleComputer,
  listener: (event: LiveEvent) => void,
): () => void {
  return liveEvents.subscribe(id, listener)
}
