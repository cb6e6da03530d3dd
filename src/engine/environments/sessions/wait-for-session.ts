import type { SessionRow } from '../../../db/schema.ts'
import { runningOn } from '../../operations/operations.ts'
import type { EnvironmentsContext } from '../environments.ts'

/** Waits until a session that this server creates is ready or has failed, for `waitMs` at most. */
export async function waitForSession(
  { db, operations, server }: Pick<EnvironmentsContext, 'db' | 'operations' | 'server'>,
  { id, status }: SessionRow,
  waitMs: number,
  left: AbortSignal,
): Promise<void> {
  if (status !== 'creating' || waitMs <= 0) return
  const operation = (await runningOn({ db }, [id])).get(id)
  if (!operation) return
  const late = AbortSignal.any([AbortSignal.timeout(waitMs), server.closing, left])
  const { promise, resolve } = Promise.withResolvers<void>()
  const giveUp = () => resolve()
  late.addEventListener('abort', giveUp, { once: true })
  await Promise.race([operations.settled(operation.id), promise])
  late.removeEventListener('abort', giveUp)
}
