import type { ComputerSummary } from '../../engine/computers/manage/list-computers.ts'
import { isoTime } from '../iso-time.ts'
import type { SandboxAnswer } from './sandbox-schemas.ts'

export function sandboxAnswerOf({ here, ...computer }: ComputerSummary): SandboxAnswer {
  const { id, name, state, stateReason, sinceMs, createdAtMs, keepsFiles } = computer
  return {
    sandbox_id: id,
    name,
    state,
    state_reason: stateReason,
    since: isoTime(sinceMs),
    created_at: isoTime(createdAtMs),
    keeps_files: keepsFiles,
    processes: here?.processes ?? null,
    idle_seconds: wholeSeconds(here?.idleMs),
    idle_timeout_seconds: wholeSeconds(here?.idleTimeoutMs),
    disk_bytes: here?.diskBytes ?? null,
    disk_limit_bytes: here?.diskLimitBytes ?? null,
    ports: (here?.ports ?? []).map(({ port, isExposed: exposed, isListening: listening }) => ({
      port,
      exposed,
      listening,
    })),
  }
}

/** Returns the cursor of the page after a name. */
export function cursorOf(name: string): string {
  // The default sandbox has an empty name.
  return Buffer.from(`:${name}`).toString('base64url')
}

/** Returns the name of a cursor. Any other text is just another place in the order of names. */
export function nameAfter(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString().slice(1)
}

function wholeSeconds(ms: number | null | undefined): number | null {
  return ms === undefined || ms === null ? null : Math.floor(ms / 1000)
}
