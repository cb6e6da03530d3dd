import { limits } from '../../../config/limits.ts'
import type { InteractionRow, SessionRow } from '../../../db/schema.ts'
import type { ProcessHandle } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import type { Release } from '../../budgets/memory-budget.ts'
import { collectOutput, outputMemoryBytes, type CollectedOutput } from '../../computers/processes/collect-output.ts'
import type { Context } from '../../context.ts'
import { outcomeOf } from './outcome-of.ts'

export interface FoundInteraction {
  /** As it is now, also where the database does not know the end yet. */
  row: InteractionRow
  /** undefined while the process runs, and where there is none. */
  output: CollectedOutput | undefined
  /** Releases the memory of the output; to be called when the output has been sent. */
  release: Release
}

/** Returns an interaction of a session with its output. Throws `not_found`, and `no_capacity` without memory for it. */
export async function findInteraction(
  engine: Pick<Context, 'db' | 'driver' | 'budgets' | 'node'>,
  session: SessionRow,
  id: string,
): Promise<FoundInteraction> {
  const row = await interactionOf(engine, session, id)
  if (row.kind !== 'exec') return { row, output: undefined, release: () => {} }
  const process = row.node_id === engine.node.id ? engine.driver.process(row.id) : undefined
  if (row.status === 'pending' && !process?.exit) return { row, output: undefined, release: () => {} }
  if (row.status !== 'pending' && (row.truncated === 0 || !process?.exit))
    return { row, output: keptOutput(row), release: () => {} }
  return { row: row.status === 'pending' ? ended(row, process!) : row, ...(await collected(engine, row, process!)) }
}

/** Waits until an interaction has ended, for `waitMs` at most. */
export async function waitForInteraction(
  { driver, server }: Pick<Context, 'driver' | 'server'>,
  id: string,
  waitMs: number,
  left: AbortSignal,
): Promise<void> {
  const process = driver.process(id)
  if (!process || process.exit || waitMs <= 0) return
  const late = AbortSignal.any([AbortSignal.timeout(waitMs), server.closing, left])
  const { promise, resolve } = Promise.withResolvers<void>()
  const giveUp = () => resolve()
  late.addEventListener('abort', giveUp, { once: true })
  await Promise.race([process.wait(), promise])
  late.removeEventListener('abort', giveUp)
}

async function interactionOf({ db }: Pick<Context, 'db'>, session: SessionRow, id: string): Promise<InteractionRow> {
  const row = await db
    .selectFrom('interactions')
    .selectAll()
    .where('id', '=', id)
    .where('session_id', '=', session.id)
    .executeTakeFirst()
  if (row) return row
  throw new CarrelError(
    'not_found',
    `Cannot find interaction ${JSON.stringify(id.slice(0, 64))}: the session has none of that id`,
    { details: { field: 'interaction_id' } },
  )
}

function keptOutput({ stdout, stderr, truncated }: InteractionRow): CollectedOutput {
  const bytes = (kept: Uint8Array | null) => Buffer.from(kept ?? [])
  return { stdout: bytes(stdout), stderr: bytes(stderr), truncated: truncated === 1 }
}

async function collected(
  engine: Pick<Context, 'budgets'>,
  { account_id: accountId }: InteractionRow,
  process: ProcessHandle,
): Promise<Pick<FoundInteraction, 'output' | 'release'>> {
  const options = { maxBytes: limits.interactionOutputBytes }
  const memoryBytes = outputMemoryBytes(process.exit!, options)
  const release = memoryBytes === 0 ? () => {} : await engine.budgets.memory.reserve(accountId, memoryBytes)
  try {
    const output = await collectOutput(process, options)
    return { output: { ...output, truncated: output.truncated || process.exit!.truncated }, release }
  } catch (error) {
    release()
    throw error
  }
}

function ended(row: InteractionRow, { exit, startedAtMs, timeoutMs }: ProcessHandle): InteractionRow {
  const { status, reason, exitCode, success, message } = outcomeOf(exit!, timeoutMs)
  return {
    ...row,
    status,
    reason,
    exit_code: exitCode,
    success: success ? 1 : 0,
    message,
    ended_at: exit!.endedAtMs,
    duration_ms: exit!.endedAtMs - startedAtMs,
  }
}
