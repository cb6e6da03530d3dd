import type { Static } from 'typebox'
import type { Container } from '../../engine/environments/sessions/containers-of.ts'
import { durationSeconds } from '../../engine/environments/sessions/end-session.ts'
import type { FoundInteraction } from '../../engine/environments/interactions/find-interaction.ts'
import type { InteractionSummary } from '../../engine/environments/interactions/list-interactions.ts'
import type { SessionFacts } from '../../engine/types.ts'
import { textOf } from '../../http/text-decoder.ts'
import { isoTime, isoTimeOrNull } from '../iso-time.ts'
import type { interactionAnswer, interactionsAnswer, sessionAnswer } from './session-schemas.ts'

/** @param origin where this server is reached */
export function sessionOf(
  row: SessionFacts,
  container: Container | undefined,
  origin: string,
): Static<typeof sessionAnswer> {
  return {
    session_id: row.id,
    user_id: row.user_id ?? row.account_id,
    dataset: row.dataset,
    sample_id: row.sample_id,
    version: row.version,
    status: row.status,
    requested_at: isoTime(row.requested_at),
    created_at: isoTimeOrNull(row.ready_at),
    expires_at: isoTime(row.expires_at),
    ended_at: isoTimeOrNull(row.ended_at),
    duration_seconds: row.ready_at === null ? null : durationSeconds(row),
    container_info: container ? containerOf(row, container, origin) : null,
    error: row.error_code === null ? null : { code: row.error_code.toUpperCase(), message: row.error_message ?? '' },
  }
}

function containerOf(row: SessionFacts, container: Container, origin: string) {
  return {
    container_name: container.name ?? container.id,
    service_url: `${origin}/sessions/${row.id}`,
    location: container.node_id,
    status: container.state,
    sample_id: row.sample_id,
    created_at: isoTime(container.created_at),
    expires_at: isoTime(row.expires_at),
  }
}

export function summaryOf(row: InteractionSummary): Static<typeof interactionsAnswer>['interactions'][number] {
  return {
    interaction_id: row.id,
    session_id: row.session_id,
    kind: row.kind,
    command: row.command,
    created_at: isoTime(row.created_at),
    status: row.status,
    exit_code: row.exit_code,
    execution_time_seconds: row.duration_ms === null ? null : Number(row.duration_ms) / 1000,
    success: row.success === null ? null : row.success === 1,
    message: row.message,
    reason: row.reason,
    truncated: row.truncated === 1,
  }
}

export function interactionOf({ row, output }: FoundInteraction): Static<typeof interactionAnswer> {
  if (!output) return { ...summaryOf(row), stdout: null, stderr: null }
  const [stdout, stderr] = [textOf(output.stdout), textOf(output.stderr)]
  return {
    ...summaryOf(row),
    truncated: output.truncated,
    stdout: stdout.text,
    stderr: stderr.text,
    ...(stdout.base64 === undefined ? {} : { stdout_base64: stdout.base64 }),
    ...(stderr.base64 === undefined ? {} : { stderr_base64: stderr.base64 }),
  }
}
