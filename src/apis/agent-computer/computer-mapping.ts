import type { Static } from 'typebox'
import { sizeOf, type Size } from '../../engine/computers/durable/sizes.ts'
import type { Engine } from '../../engine/engine.ts'
import type { ImageInfo, OperationFacts, OwnedComputer, WantedSize } from '../../engine/types.ts'
import { pageOrigin } from '../../http/computer-pages.ts'
import { isoTime, isoTimeOrNull } from '../iso-time.ts'
import type { computer, operation } from './computer-schemas.ts'

type Computer = Static<typeof computer>

/** What of a computer's workspace and of the caller's role in it is shown with the computer. */
export interface Viewer {
  workspaceName: string
  role: Computer['viewer_access']['role']
}

export function computerOf(
  { settings }: Pick<Engine, 'settings'>,
  row: OwnedComputer,
  running: OperationFacts | undefined,
  viewer: Viewer,
): Computer {
  const origin = pageOrigin(settings, row)
  return {
    id: row.id,
    handle: row.name ?? '',
    display_name: row.display_name ?? row.name ?? '',
    image_id: row.image,
    source_kind: row.snapshot_id === null ? 'image' : 'snapshot',
    source_snapshot_id: row.snapshot_id,
    size_preset: row.size_preset ?? 'custom',
    requested_memory_mib: row.memory_bytes / MiB,
    requested_storage_bytes: row.disk_bytes,
    state: stateOf(row, running),
    clerk_org_id: row.account_id,
    clerk_org_name: viewer.workspaceName,
    primary_url: `${origin}/`,
    vnc_url: `${origin}/desktop`,
    failure_reason: row.state === 'failed' ? row.state_reason : null,
    state_reason: ['stopping', 'stopped', 'failed'].includes(row.state) ? row.state_reason : null,
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
    deleted_at: null,
    viewer_access: { role: viewer.role, ...everything },
  }
}

/** @param step what the operation does right now */
export function operationOf(row: OperationFacts, step?: string): Static<typeof operation> {
  return {
    id: row.id,
    kind: row.kind,
    status: row.state,
    progress: row.progress,
    ...(step === undefined ? {} : { progress_message: step }),
    resource_type: row.resource_type,
    resource_id: row.resource_id,
    error_message: row.error === null ? null : (JSON.parse(row.error) as { message: string }).message,
    created_at: isoTime(row.created_at),
    started_at: isoTime(row.created_at),
    completed_at: isoTimeOrNull(row.ended_at),
    updated_at: isoTime(row.updated_at),
  }
}

export function imageOf({ id, name, createdAtMs }: ImageInfo) {
  return {
    id,
    display_name: name,
    description: `The image ${name} of this server`,
    status: 'active' as const,
    created_at: isoTime(createdAtMs),
  }
}

interface SizeFields {
  size_preset?: string
  requested_memory_mib?: number
  requested_storage_bytes?: number
}

/** Returns the size that a request asks for; undefined when it says nothing of the size. Throws `invalid_request`. */
export function givenSizeOf(body: SizeFields): Size | undefined {
  const wanted = wantedSizeOf(body)
  return Object.values(wanted).every((value) => value === undefined) ? undefined : sizeOf(wanted)
}

/** Returns the size that a request asks for, in bytes. */
export function wantedSizeOf(body: SizeFields): WantedSize {
  return {
    preset: body.size_preset,
    memoryBytes: body.requested_memory_mib === undefined ? undefined : body.requested_memory_mib * MiB,
    diskBytes: body.requested_storage_bytes,
  }
}

/** Returns the state as clients know it: what an operation has begun counts before its first step is recorded. */
function stateOf({ state }: OwnedComputer, running: OperationFacts | undefined): Computer['state'] {
  if (running?.kind === 'computer.delete') return 'deleting'
  if (running?.kind === 'computer.start' && state !== 'running') return 'starting'
  if (running?.kind === 'computer.stop' && state === 'running') return 'stopping'
  if (running?.kind === 'computer.create' && state !== 'running') return 'provisioning'
  if (running?.kind === 'computer.resize' || running?.kind === 'computer.restore') return 'updating'
  if (state === 'resizing' || state === 'restarting') return 'updating'
  return state === 'paused' ? 'running' : state
}

const everything = {
  allow_browser: true,
  allow_vnc: true,
  allow_ssh: true,
  can_manage: true,
  can_update: true,
  can_delete: true,
  can_manage_shares: true,
  can_manage_ports: true,
  can_issue_ssh_certificates: true,
}
export const MiB = 1024 * 1024
