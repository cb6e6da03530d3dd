import type { Static } from 'typebox'
import type { SnapshotFacts } from '../../engine/types.ts'
import { isoTime, isoTimeOrNull } from '../iso-time.ts'
import type { snapshot } from './snapshot-schemas.ts'

const durableStates = { creating: 'pending', ready: 'ready', failed: 'failed', deleting: 'ready' } as const

export function snapshotOf(row: SnapshotFacts): Static<typeof snapshot> {
  return {
    id: row.id,
    computer_id: row.computer_id,
    computer_handle: row.computer_name,
    image_id: row.image,
    state: row.state,
    kind: row.kind === 'automatic' ? 'automatic' : 'manual',
    capture_scope: 'filesystem',
    runtime_state: 'absent',
    durable_state: durableStates[row.state],
    local_ready_at: isoTimeOrNull(row.ready_at),
    durable_ready_at: isoTimeOrNull(row.ready_at),
    failure_reason: row.failure_reason,
    durable_failure_reason: row.failure_reason,
    size_bytes: numberOrNull(row.size_bytes),
    added_bytes: numberOrNull(row.added_bytes),
    paused_ms: numberOrNull(row.paused_ms),
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
  }
}

function numberOrNull(value: number | null): number | null {
  return value === null ? null : Number(value)
}
