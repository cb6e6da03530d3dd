import { Type } from 'typebox'
import { limits } from '../../config/limits.ts'
import { nullable, nullableText, nullableTime, object, time } from '../schema.ts'
import { computer, guestField, nameFields, operation, sizeFields } from './computer-schemas.ts'

const states = ['creating', 'ready', 'failed', 'deleting'] as const

export const snapshot = object({
  id: Type.String({ description: 'The id of the snapshot' }),
  computer_id: Type.String({ description: 'The computer that it was taken of, which may be deleted since' }),
  computer_handle: nullableText('The handle of that computer when the snapshot was taken'),
  image_id: Type.String({ description: 'The image below the files' }),
  state: Type.Enum([...states]),
  kind: Type.Enum(['manual', 'automatic']),
  capture_scope: Type.Enum(['filesystem'], { description: 'All files; no memory and no processes' }),
  runtime_state: Type.Enum(['absent']),
  durable_state: Type.Enum(['pending', 'syncing', 'ready', 'failed'], {
    description: 'The same as state: a snapshot is on the disk as soon as it is ready',
  }),
  local_ready_at: nullableTime(),
  durable_ready_at: nullableTime(),
  failure_reason: nullableText('Why it failed; null in every other state'),
  durable_failure_reason: nullableText('The same as failure_reason'),
  size_bytes: nullable(Type.Integer(), {
    description: 'What it holds beyond its image; null where that is not counted',
  }),
  added_bytes: nullable(Type.Integer(), {
    description: 'The part of that which no earlier snapshot of the computer has',
  }),
  paused_ms: nullable(Type.Number(), { description: 'For how long programs stood still, in milliseconds' }),
  created_at: time(),
  updated_at: time(),
})

export const snapshotAnswer = object({ snapshot, operation: Type.Optional(operation) })
export const snapshotsAnswer = object({ snapshots: Type.Array(snapshot) })

export const snapshotParams = object({
  snapshotId: Type.String({ minLength: 1, maxLength: 128, examples: ['5b9x0wz3k7m1q4r8t2vy'] }),
})

export const restoreBody = object({ ...nameFields, ...guestField, ...sizeFields })

export const restoreInPlaceBody = object({
  snapshot_id: Type.String({ description: 'A snapshot of this or of another computer', minLength: 1, maxLength: 128 }),
})

export const forkBody = object({
  count: Type.Optional(
    Type.Integer({ description: 'How many; 1 by default', minimum: 1, maximum: limits.forksAtOnce }),
  ),
  ...nameFields,
  ...sizeFields,
})

export const forkAnswer = object({ computers: Type.Array(computer), operation })
