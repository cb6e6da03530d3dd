import { Type } from 'typebox'
import { limits } from '../../config/limits.ts'
import { patterns } from '../../http/patterns.ts'
import { nullable, nullableText, nullableTime, object, time } from '../schema.ts'

const id = (of: string) => Type.String({ description: `The id of the ${of}` })
const states = [
  'provisioning',
  'starting',
  'running',
  'updating',
  'stopping',
  'stopped',
  'failed',
  'deleting',
  'deleted',
] as const

const viewerAccess = object({
  role: Type.Enum(['owner', 'admin', 'shared']),
  allow_browser: Type.Boolean(),
  allow_vnc: Type.Boolean(),
  allow_ssh: Type.Boolean(),
  can_manage: Type.Boolean(),
  can_update: Type.Boolean(),
  can_delete: Type.Boolean(),
  can_manage_shares: Type.Boolean(),
  can_manage_ports: Type.Boolean(),
  can_issue_ssh_certificates: Type.Boolean(),
})

export const computer = object({
  id: id('computer'),
  handle: Type.String({ description: 'The name of the computer in its workspace; works wherever its id does' }),
  display_name: Type.String({ description: 'The name for people; the handle if none was given' }),
  image_id: id('image'),
  source_kind: Type.Enum(['image', 'snapshot']),
  source_snapshot_id: nullableText('The snapshot that the computer was created from'),
  size_preset: Type.String({ description: 'custom for a size of its own' }),
  requested_memory_mib: Type.Integer({ description: 'The memory, in MiB' }),
  requested_storage_bytes: Type.Integer({ description: 'The storage, in bytes' }),
  state: Type.Enum([...states]),
  clerk_org_id: Type.String({ description: 'The workspace that the computer belongs to' }),
  clerk_org_name: nullableText('The name of that workspace'),
  primary_url: Type.String({
    description: 'The page of the computer, which an access session of the kind browser opens',
  }),
  vnc_url: Type.String({ description: 'Its desktop, which an access session of the kind vnc opens, too' }),
  failure_reason: nullableText('Why the computer failed; null in every other state'),
  state_reason: nullableText(
    'Why the server stopped it, such as out_of_credits or spending_limit; null for a stop on request, and while it runs',
  ),
  created_at: time(),
  updated_at: time(),
  deleted_at: nullableTime('Always null: a deleted computer is not found any more'),
  viewer_access: viewerAccess,
})

export const operation = object({
  id: id('operation'),
  kind: Type.String({ description: 'What is done, such as computer.create' }),
  status: Type.Enum(['running', 'succeeded', 'failed']),
  progress: Type.Number({ description: 'How far it is, from 0 to 1' }),
  progress_message: Type.Optional(Type.String({ description: 'What it does right now; only if it says so' })),
  resource_type: Type.String({ description: 'What it works on, such as computer' }),
  resource_id: Type.String({ description: 'The id of what it works on' }),
  error_message: nullableText('Why it failed; null unless it did'),
  created_at: time(),
  started_at: nullableTime(),
  completed_at: nullableTime('When it ended; null while it runs'),
  updated_at: time(),
})

export const computerAnswer = object({ computer, operation: Type.Optional(operation) })
export const computersAnswer = object({ computers: Type.Array(computer) })
export const operationAnswer = object({ operation })

export const computerParams = object({
  id: Type.String({
    description: 'The id or the handle of the computer',
    minLength: 1,
    maxLength: 128,
    examples: ['my-computer'],
  }),
})
export const operationParams = object({
  operationId: Type.String({ minLength: 1, maxLength: 128, examples: ['8mz4kq1v6s3xt7c9w2np'] }),
})
export const imageParams = object({
  imageId: Type.String({ minLength: 1, maxLength: 128, examples: ['base-3f9c2a7d1e64'] }),
})

const handle = Type.String({
  description: 'Unique in the workspace; one that people can remember is made up if it is left out',
  pattern: patterns.dnsLabel.source,
  maxLength: 63,
})
const displayName = Type.String({
  description: 'The name for people',
  pattern: patterns.name.source,
  minLength: 1,
  maxLength: 100,
})
const memory = Type.Integer({ description: 'The memory, in MiB: 2048 to 65536, in steps of 1024', minimum: 1 })
const storage = Type.Integer({
  description: 'The storage, in bytes: 5 GiB to 250 GiB, in steps of 1 GiB',
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
})
const preset = Type.String({ description: 'The id of a size preset, or custom with both numbers', maxLength: 64 })
const size = {
  size_preset: Type.Optional(preset),
  requested_memory_mib: Type.Optional(memory),
  requested_storage_bytes: Type.Optional(storage),
}

const guest = object({
  authorized_keys: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 10_000 }), {
      description: 'Public keys that open this computer by SSH, beside the SSH keys of the workspace',
      maxItems: limits.guestKeys,
    }),
  ),
})
export const sizeFields = size
export const nameFields = { handle: Type.Optional(handle), display_name: Type.Optional(displayName) }
export const guestField = { guest: Type.Optional(guest) }

export const createComputerBody = object({
  source: Type.Optional(
    object({
      kind: Type.Optional(Type.Enum(['image', 'snapshot'])),
      image_id: Type.Optional(
        Type.String({
          description: 'The id of an image, or the name of its recipe or import; empty for the default image',
          maxLength: 128,
        }),
      ),
      snapshot_id: Type.Optional(Type.String({ description: 'The snapshot to create it from', maxLength: 128 })),
    }),
  ),
  handle: Type.Optional(handle),
  display_name: Type.Optional(displayName),
  guest: Type.Optional(guest),
  platform: Type.Optional(Type.String({ description: 'linux; this server has no other', maxLength: 64 })),
  ...size,
})

export const resizeBody = object(size)
export const resizeAnswer = object({
  computer,
  operation: Type.Optional(operation),
  restart_required: Type.Boolean({
    description: 'Whether the computer uses too much memory to get the size as it runs',
  }),
})

export const transferBody = object({
  target_org_id: Type.String({ description: 'The workspace that gets the computer', minLength: 1, maxLength: 128 }),
})

export const updateComputerBody = Type.Object(
  { display_name: Type.Optional(nullable(displayName)), handle: Type.Optional(handle) },
  { additionalProperties: false, minProperties: 1 },
)

export const capacityBody = object({
  computer_id: Type.Optional(
    Type.String({ description: 'A computer that would get this size instead of its own', maxLength: 128 }),
  ),
  exclude_computer_id: Type.Optional(Type.String({ description: 'The same as computer_id', maxLength: 128 })),
  platform: Type.Optional(Type.String({ maxLength: 64 })),
  ...size,
})

export const resourceLimits = object({
  default_vcpus: Type.Number(),
  min_memory_mib: Type.Integer(),
  max_memory_mib: Type.Integer(),
  memory_step_mib: Type.Integer(),
  min_storage_bytes: Type.Integer(),
  max_storage_bytes: Type.Integer(),
  storage_step_bytes: Type.Integer(),
})

export const capacityAnswer = object({
  available: Type.Boolean({ description: 'Whether a computer of this size can be created now' }),
  reason_code: Type.Optional(
    Type.Enum(['insufficient_memory', 'insufficient_storage', 'invalid_size', 'platform_unavailable'], {
      description: 'Why not',
    }),
  ),
  available_memory_mib: Type.Integer({ description: 'What is not promised to other computers, in MiB' }),
  available_storage_bytes: Type.Integer({ description: 'What is not promised to other computers, in bytes' }),
  configured_hosts: Type.Integer(),
  matching_hosts: Type.Integer({ description: 'Hosts on which a computer of this size fits now' }),
  max_memory_mib: Type.Integer({ description: 'The largest computer that fits now, in MiB' }),
  max_storage_bytes: Type.Integer(),
  requested_memory_mib: Type.Integer(),
  requested_storage_bytes: Type.Integer(),
  size_preset: Type.String(),
  resource_limits: resourceLimits,
})

export const presetsAnswer = object({
  presets: Type.Array(
    object({
      id: Type.String(),
      label: Type.String(),
      memory_mib: Type.Integer(),
      storage_bytes: Type.Integer(),
    }),
  ),
})

const image = object({
  id: id('image'),
  display_name: Type.String(),
  description: Type.String(),
  status: Type.Enum(['active']),
  created_at: time(),
})
export const imageAnswer = object({ image })
export const imagesAnswer = object({ images: Type.Array(image) })

export const execBody = object({
  command: Type.Array(Type.String({ maxLength: limits.codeArgumentBytes }), {
    description: 'The program and its arguments; no shell reads them',
    minItems: 1,
    maxItems: 4096,
  }),
  cwd: Type.Optional(Type.String({ description: 'The working directory', minLength: 1, maxLength: 4096 })),
  env: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'Environment variables' })),
  timeout_ms: Type.Optional(
    Type.Integer({
      description: 'The time limit, in milliseconds; 30 s by default, 5 minutes at most',
      minimum: 1,
      maximum: 300_000,
    }),
  ),
  user: Type.Optional(
    Type.String({ description: 'A user of the computer; node by default', minLength: 1, maxLength: 64 }),
  ),
})

export const execAnswer = object({
  exit_code: Type.Integer({ description: '128 plus the number of the signal for a program that a signal ended' }),
  stdout: Type.String({ description: 'The last 10 MiB, as UTF-8' }),
  stderr: Type.String({ description: 'The last 10 MiB, as UTF-8' }),
  duration_ms: Type.Integer(),
  reason: Type.String({ description: 'Why the program ended, such as exited, timeout or oom' }),
  truncated: Type.Boolean({ description: 'Whether output was dropped' }),
})
