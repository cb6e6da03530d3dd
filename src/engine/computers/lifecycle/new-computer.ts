import type { ComputerRow } from '../../../db/schema.ts'
import { newId } from '../../ids.ts'
import type { ComputersContext } from '../computers.ts'

/** Returns the row of a sandbox of the default size at home on this node, which does not exist on the host yet. */
export function newComputer(
  engine: Pick<ComputersContext, 'settings' | 'defaultImage' | 'node'>,
  owner: { accountId: string; name: string } | undefined,
): ComputerRow {
  const { settings, defaultImage, node } = engine
  const now = Date.now()
  return {
    id: newId(),
    account_id: owner?.accountId ?? null,
    name: owner?.name ?? null,
    node_id: node.id,
    fence: 0,
    image: defaultImage.id,
    state: 'provisioning',
    state_reason: null,
    cpus: settings.computerCpus,
    memory_bytes: settings.computerMemoryBytes,
    disk_bytes: settings.computerDiskBytes,
    pids: settings.computerPids,
    lifecycle: 'sandbox',
    idle_timeout_ms: settings.idleTimeoutMs,
    expires_at: null,
    created_at: now,
    updated_at: now,
    started_at: null,
    last_active_at: now,
    display_name: null,
    size_preset: null,
    snapshot_id: null,
    memory_mib_ms: 0,
    memory_counted_ms: 0,
    authorized_keys: null,
    restored_at: null,
  }
}
