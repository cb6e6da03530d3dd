import { callFields } from '../context.ts'
import type { Context, RequestOptions } from '../context.ts'
import type { BegunOnComputer } from './computer.ts'
import { guestField, nameFields, sizeFields } from './computer-options.ts'
import type { RepeatableOptions, RestoreOptions } from './computer-options.ts'
import type { ComputerOperation } from './operation.ts'
import { get, pathOf, postOnce } from './requests.ts'

/** The files of a computer as they were at one moment. It outlives the computer. */
export interface Snapshot {
  id: string
  /** The computer that it was taken of, which may be deleted since. */
  computer_id: string
  /** The handle of that computer when the snapshot was taken. */
  computer_handle: string | null
  image_id: string
  state: 'creating' | 'ready' | 'failed' | 'deleting'
  /** `automatic`: the server took it, and deletes it when it is old. */
  kind: 'manual' | 'automatic'
  /** Why it failed; null in every other state. */
  failure_reason: string | null
  /** What it holds beyond its image; null where that is not counted. */
  size_bytes: number | null
  /** The part of that which no earlier snapshot of the computer has. */
  added_bytes: number | null
  /** For how long programs stood still. */
  paused_ms: number | null
  created_at: string
  updated_at: string
}

/** A snapshot, and what is being done to it. */
export interface BegunOnSnapshot {
  snapshot: Snapshot
  operation?: ComputerOperation
}

/**
 * Snapshots of computers.
 *
 * @example
 *   const { snapshot, operation } = await carrel.computers.snapshots.create('build')
 *   if (operation) await carrel.computers.waitFor(operation)
 *   await carrel.computers.settle(await carrel.computers.snapshots.restore(snapshot.id, { handle: 'again' }))
 */
export class Snapshots {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  /** Returns the snapshots of a computer; all of the workspace without one, also those of deleted computers. */
  async list(computer?: string, options: RequestOptions = {}): Promise<Snapshot[]> {
    const path = computer === undefined ? '/v1/snapshots' : `${pathOf(computer)}/snapshots`
    return (await get<{ snapshots: Snapshot[] }>(this.#context, path, options)).snapshots
  }

  async get(snapshotId: string, options: RequestOptions = {}): Promise<Snapshot> {
    return (await get<BegunOnSnapshot>(this.#context, snapshotPath(snapshotId), options)).snapshot
  }

  /** Begins a snapshot of a computer, which goes on running. */
  create(computer: string, options: RepeatableOptions = {}): Promise<BegunOnSnapshot> {
    return postOnce(this.#context, `${pathOf(computer)}/snapshots`, {}, options)
  }

  /** Begins to delete a snapshot. Computers that were restored from it stay as they are. */
  delete(snapshotId: string, options: RequestOptions = {}): Promise<BegunOnSnapshot> {
    const path = snapshotPath(snapshotId)
    return this.#context.transport.json({ method: 'DELETE', path, retry: 'refused', ...callFields(options) })
  }

  /** Begins to create a computer with the files of a snapshot, by default of the size of its computer. */
  restore(snapshotId: string, options: RestoreOptions = {}): Promise<BegunOnComputer> {
    const json = { ...nameFields(options), ...sizeFields(options), ...guestField(options) }
    return postOnce(this.#context, `${snapshotPath(snapshotId)}/restore`, json, options)
  }
}

function snapshotPath(snapshotId: string): string {
  return `/v1/snapshots/${encodeURIComponent(snapshotId)}`
}
