import type { ComputerRow } from '../../../db/schema.ts'
import { newId } from '../../ids.ts'
import type { ComputersContext } from '../computers.ts'

/** A row for a computer of the default size, not yet made. */
export function newComputer(
  engine: Pick<ComputersContext, 'settings' | 'defaultImage'>,
  owner: { accountId: string; sessionKey: string } | undefined,
): ComputerRow {
  const { settings, defaultImage } = engine
  const now = Date.now()
  return {
    id: newId(),
    account_id: owner?.accountId ?? null,
    session_key: owner?.sessionKey ?? null,
    image: defaultImage.id,
    state: 'provisioning',
    state_reason: null,
    cpus: settings.computerCpus,
    memory_bytes: settings.computerMemoryBytes,
    disk_bytes: settings.computerDiskBytes,
    pids: settings.computerPids,
    ephemeral: 1,
    idle_timeout_ms: settings.idleTimeoutMs,
    expires_at: null,
    created_at: now,
    updated_at: now,
    started_at: null,
    last_active_at: now,
  }
}
