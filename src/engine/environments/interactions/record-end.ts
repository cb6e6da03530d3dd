import { limits } from '../../../config/limits.ts'
import type { ProcessHandle } from '../../../drivers/driver.ts'
import { transaction } from '../../../db/transaction.ts'
import { collectOutput, type CollectedOutput } from '../../computers/processes/collect-output.ts'
import type { EnvironmentsContext } from '../environments.ts'
import { outcomeOf, type Outcome } from './outcome-of.ts'

/** Waits for the process of an interaction, and records how it ended. What fails is done by the next sweep. */
export function followProcess(engine: EnvironmentsContext, process: ProcessHandle): void {
  const { processId: id } = process
  engine.openInteractions.add(id)
  void process
    .wait()
    .then(() => recordProcess(engine, process))
    .catch((error: unknown) => {
      if (!engine.server.closing.aborted)
        engine.log.error({ err: error, interaction: id }, 'cannot record an interaction; will try again')
    })
    .finally(() => engine.openInteractions.delete(id))
}

/** Records how the process of an interaction ended, with the newest part of its output. */
export async function recordProcess(engine: EnvironmentsContext, process: ProcessHandle): Promise<void> {
  const { exit, startedAtMs, timeoutMs } = process
  if (!exit) return
  const output = await collectOutput(process, { maxBytes: limits.interactionKeptBytes })
  await recordEnd(engine, process.processId, outcomeOf(exit, timeoutMs), {
    output: { ...output, truncated: output.truncated || exit.truncated },
    endedAtMs: exit.endedAtMs,
    durationMs: exit.endedAtMs - startedAtMs,
  })
}

interface Facts {
  output?: CollectedOutput
  endedAtMs?: number
  durationMs?: number
}

/** Records the end of an interaction once; another end of it changes nothing. */
export async function recordEnd(
  { db }: Pick<EnvironmentsContext, 'db'>,
  id: string,
  outcome: Outcome,
  { output, endedAtMs = Date.now(), durationMs }: Facts = {},
): Promise<void> {
  await transaction(db, 'operational', async (trx) => {
    const row = await trx
      .selectFrom('interactions')
      .innerJoin('sessions', 'sessions.id', 'interactions.session_id')
      .select(['session_id', 'kept_bytes'])
      .where('interactions.id', '=', id)
      .where('interactions.status', '=', 'pending')
      .executeTakeFirst()
    if (!row) return
    const bytes = (output?.stdout.length ?? 0) + (output?.stderr.length ?? 0)
    const hasRoom = Number(row.kept_bytes) + bytes <= limits.sessionKeptBytes
    await trx
      .updateTable('interactions')
      .set({
        status: outcome.status,
        reason: outcome.reason,
        exit_code: outcome.exitCode,
        success: outcome.success ? 1 : 0,
        message: outcome.message,
        stdout: hasRoom && output ? output.stdout : null,
        stderr: hasRoom && output ? output.stderr : null,
        truncated: output && (output.truncated || !hasRoom) ? 1 : 0,
        ended_at: endedAtMs,
        duration_ms: durationMs ?? null,
      })
      .where('id', '=', id)
      .execute()
    if (hasRoom && bytes > 0)
      await trx
        .updateTable('sessions')
        .set((eb) => ({ kept_bytes: eb('kept_bytes', '+', bytes) }))
        .where('id', '=', row.session_id)
        .execute()
  })
}
