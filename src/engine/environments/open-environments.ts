import type { Computers } from '../computers/computers.ts'
import type { OperationWork } from '../operations/operations.ts'
import { Uploads } from './datasets/upload/uploads.ts'
import type { Environments, EnvironmentsContext } from './environments.ts'
import { endOverSession } from './sessions/end-session.ts'
import { prepareSession, sessionCreateKind } from './sessions/prepare-session.ts'
import { SessionWatch } from './sessions/session-watch.ts'

/**
 * Assembles the room of environments.
 *
 * @param context returns the finished context, for parts that use it later
 */
export function openEnvironments(
  { liveEvents }: Pick<Computers, 'liveEvents'>,
  context: () => EnvironmentsContext,
): Environments {
  return {
    datasetUploads: new Uploads(),
    sessionWatch: new SessionWatch(liveEvents, (id, why) => void endOverSession(context(), id, why)),
    openInteractions: new Set(),
  }
}

/** What the operations of environments do. */
export function environmentWorks(context: () => EnvironmentsContext): Record<string, OperationWork> {
  return { [sessionCreateKind]: (operation, report) => prepareSession(context(), operation, report) }
}
