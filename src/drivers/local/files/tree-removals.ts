import { limits } from '../../../config/limits.ts'
import { CarrelError } from '../../../errors.ts'
import { TurnThread, type Failure } from './turn-thread.ts'

export interface RemovalRequest {
  /** The descriptor of the directory above the tree, which stays open until the answer arrives. */
  fd: number
  /** The name of the tree in it. */
  name: string
  /** When to stop, so that other removals get their turn. */
  maxMs: number
}

/** A message of the thread: whether nothing is left, or a failure. */
export type RemovalMessage = { isDone: boolean } | Failure

const thread = new TurnThread<RemovalRequest, RemovalMessage, { isDone: boolean }>({
  program: new URL('tree-removals-worker.ts', import.meta.url),
  receiver: () => (message) => message,
  refuse: (limit) => {
    throw new CarrelError(
      'limit_reached',
      `Cannot remove the directory: ${limit} removals in this sandbox are already queued`,
      { details: { limit } },
    )
  },
})

/**
 * Removes an entry of an open directory with everything in it, on another thread, in turns with other computers. `key`
 * identifies the computer. `check` runs before each turn, and ends the removal by throwing. Throws `conflict` when the
 * computer's programs add files for as long as it is tried.
 */
export async function removeTree(
  key: string,
  { fd, name }: Pick<RemovalRequest, 'fd' | 'name'>,
  check: () => void,
): Promise<void> {
  const giveUpAtMs = performance.now() + limits.removalMs
  do {
    check()
    const { isDone } = await thread.ask(key, { fd, name, maxMs: turnMs })
    if (isDone) return
  } while (performance.now() < giveUpAtMs)
  throw new CarrelError(
    'conflict',
    `Cannot remove all of the directory within ${limits.removalMs / 60_000} minutes: send the request again for the rest`,
  )
}

/** Long enough to make the beginning of a turn, which opens the directories again, cost little. */
const turnMs = 100
