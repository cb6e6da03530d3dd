import type { SessionRow } from '../../../db/schema.ts'
import { asCarrelError } from '../../../errors.ts'
import type { Caller } from '../../caller.ts'
import { destroyComputer } from '../../computers/lifecycle/destroy.ts'
import { holdsNode } from '../../nodes/holds-node.ts'
import type { EnvironmentsContext } from '../environments.ts'
import { assertHere, findSession } from './find-session.ts'
import type { Over } from './session-watch.ts'

export interface SessionEnd {
  status: 'closed' | 'terminated' | 'error'
  /** Why, unless it was closed. */
  error?: { code: string; message: string }
  /** The token that asked for it, or the part of the server that acts by itself. */
  actor: string
  /** True for an end that an extension prevents. */
  onlyExpired?: boolean
}

/** How long a session has been ready, in seconds, to the millisecond; 0 for one that was not. */
export function durationSeconds({ ready_at: readyAtMs, ended_at: endedAtMs }: SessionRow): number {
  return readyAtMs === null ? 0 : Math.max(0, (endedAtMs ?? Date.now()) - readyAtMs) / 1000
}

/**
 * Ends a session of this node: nothing can be run in it from now on, and its computer is deleted with everything that
 * runs there. Does nothing to a session that has ended already. What fails is done by the next sweep.
 */
export async function endSession(
  engine: EnvironmentsContext,
  id: string,
  { status, error, actor, onlyExpired = false }: SessionEnd,
): Promise<void> {
  const now = Date.now()
  const { numUpdatedRows } = await engine.db
    .updateTable('sessions')
    .set({ status, error_code: error?.code ?? null, error_message: error?.message ?? null, ended_at: now })
    .where('id', '=', id)
    .where('status', 'in', ['creating', 'ready'])
    .$if(onlyExpired, (query) => query.where('expires_at', '<=', now))
    .where(holdsNode(engine.node))
    .executeTakeFirst()
  if (numUpdatedRows === 0n && onlyExpired) return
  engine.sessionWatch.forget(id)
  await engine.locks.computer(id, () => destroyComputer(engine, id, actor, `session ${status}`))
}

/** Closes a session for its owner, whatever it does, and returns it. A session that has ended stays as it is. */
export async function closeSession(engine: EnvironmentsContext, caller: Caller, id: string): Promise<SessionRow> {
  await assertHere(engine, await findSession(engine, caller, id))
  await endSession(engine, id, { status: 'closed', actor: caller.tokenId })
  return findSession(engine, caller, id)
}

/** Ends a session that is over by itself. */
export async function endOverSession(engine: EnvironmentsContext, id: string, over: Over): Promise<void> {
  const isExpired = over.why === 'expired'
  const end: SessionEnd = {
    status: 'terminated',
    error: isExpired
      ? { code: 'expired', message: 'The time to live of the session is over' }
      : { code: 'computer_stopped', message: stoppedMessage(over.reason) },
    actor: 'lease',
    onlyExpired: isExpired,
  }
  try {
    await endSession(engine, id, end)
    if (isExpired) await watchAgain(engine, id)
  } catch (error) {
    engine.log.error({ err: asCarrelError(error), session: id }, 'cannot end a session; will try again')
  }
}

/** Goes on watching a session that was extended in the moment in which its time to live was over. */
async function watchAgain(engine: EnvironmentsContext, id: string): Promise<void> {
  const row = await engine.db.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst()
  if (row?.status === 'ready') engine.sessionWatch.watch(row)
}

const words: Record<string, string> = {
  out_of_credits: 'the account has no credit left',
  spending_limit: 'a spending limit is used up',
  requested: 'it was stopped by request',
  exited: 'its first process ended',
  oom: 'its first process was killed for lack of memory',
  lost: 'it was found not to run any more',
}

function stoppedMessage(reason: string | undefined): string {
  const why = reason === undefined ? undefined : (words[reason] ?? reason)
  return `The computer of the session has stopped${why === undefined ? '' : `: ${why}`}`
}
