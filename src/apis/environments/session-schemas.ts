import { Type } from 'typebox'
import { limits } from '../../config/limits.ts'
import { patterns } from '../../http/patterns.ts'
import { environment } from '../environment.ts'
import { nullable, nullableText, nullableTime, object, time } from '../schema.ts'

const minuteMs = 60_000
const maxMinutes = limits.sampleSessionMs / minuteMs

export const sessionParams = object({
  session_id: Type.String({ minLength: 1, maxLength: 128, examples: ['cpy75jkn4cm3r6seznza'] }),
})
export const interactionParams = object({
  session_id: Type.String({ minLength: 1, maxLength: 128, examples: ['cpy75jkn4cm3r6seznza'] }),
  interaction_id: Type.String({ minLength: 1, maxLength: 128, examples: ['cpy75jkn4cm3r6seznza'] }),
})

const page = Type.Optional(
  Type.String({ description: 'Page number (1-based); 1 by default', pattern: patterns.page.source }),
)
const pageSize = Type.Optional(
  Type.String({
    description: `Items per page, at most ${limits.sampleSessionsListed}, which is the default`,
    pattern: patterns.usageHistoryLines.source,
  }),
)
export const pageQuery = object({ page, page_size: pageSize })

export const status = Type.Enum(['creating', 'ready', 'error', 'closed', 'terminated'], {
  description:
    'creating, then ready; closed by request; terminated when its time to live is over or its computer stopped; error when it did not become ready',
})

const ttlMinutes = (description: string) =>
  Type.Integer({ description, minimum: 1, maximum: maxMinutes, default: limits.sampleSessionDefaultMs / minuteMs })

const name = (description: string) =>
  Type.String({ description, minLength: 1, maxLength: 512, pattern: patterns.printable.source })

export const createSessionBody = object({
  dataset: name('Dataset name for the sample'),
  sample_id: name('Identifier of the sample to use for this session'),
  ttl_minutes: Type.Optional(ttlMinutes('Time to live for the session in minutes, from when it is ready on')),
  version: Type.Optional(
    Type.Integer({
      description: 'Version of the sample; default: the newest one',
      minimum: 1,
      maximum: 2 ** 31 - 1,
    }),
  ),
})
export const createSessionAnswer = object({
  session_id: Type.String(),
  status,
  expires_at: time('When the session will expire; later once it is ready'),
})

const errorInfo = nullable(
  object({ code: Type.String({ description: 'Such as IMAGE_MISSING' }), message: Type.String() }),
  { description: 'Why the session did not become ready, or has ended by itself; otherwise null' },
)

const containerInfo = nullable(
  object({
    container_name: Type.String(),
    service_url: Type.String({ description: 'The address of the session at this server' }),
    location: Type.String({ description: 'The node that has the container' }),
    status: Type.String({ description: 'The state of the container, such as running' }),
    sample_id: Type.String(),
    created_at: time(),
    expires_at: time(),
  }),
  { description: 'null as long as there is no container, and once the session has ended' },
)

export const sessionAnswer = object({
  session_id: Type.String(),
  user_id: Type.String({ description: 'Who created the session; the workspace for a token without a user' }),
  dataset: Type.String(),
  sample_id: Type.String(),
  version: Type.Integer({ description: 'Version of the sample' }),
  status,
  requested_at: time('When the session was requested'),
  created_at: nullableTime('When the container was ready and billing started'),
  expires_at: time('When the session will expire'),
  ended_at: nullableTime('When the session ended'),
  duration_seconds: nullable(Type.Number(), { description: 'How long it has been ready; null until it is' }),
  container_info: containerInfo,
  error: errorInfo,
})
export const sessionsAnswer = object({
  sessions: Type.Array(sessionAnswer, { description: 'Newest first' }),
  total_count: Type.Integer({ description: 'Sessions on all pages' }),
  has_more: Type.Boolean(),
})
export const closeSessionAnswer = object({ message: Type.String(), duration_seconds: Type.Number() })

export const extendSessionBody = object({
  ttl_minutes: Type.Optional(ttlMinutes('How long the session lasts from now on, in minutes')),
})

export const execBody = object({
  command: Type.String({
    description: 'The bash command to execute',
    minLength: 1,
    maxLength: limits.codeBytes,
    pattern: patterns.withoutNul.source,
  }),
  command_timeout: Type.Optional(
    Type.Integer({
      description: 'Timeout for command execution in seconds; the command is then ended with all that it started',
      minimum: 1,
      maximum: limits.processTimeoutMs / 1000,
      default: limits.interactionDefaultTimeoutMs / 1000,
    }),
  ),
  shell: Type.Optional(
    Type.Enum(['new', 'persistent'], {
      description:
        'new: a shell of its own. persistent: continues with the directory, variables, functions and options that the last persistent command left',
      default: 'new',
    }),
  ),
  cwd: Type.Optional(Type.String({ description: "Default: the sample's", minLength: 1, maxLength: 4096 })),
  env: Type.Optional(environment),
  user: Type.Optional(Type.String({ description: "Default: the sample's", minLength: 1, maxLength: 256 })),
})
const interactionStatus = Type.Enum(['pending', 'completed', 'error'])
export const execAnswer = object({ interaction_id: Type.String(), status: interactionStatus })

export const interactionQuery = object({
  wait_seconds: Type.Optional(
    Type.String({
      description: 'How long the answer waits for the end of a pending interaction; 0.25 s by default',
      pattern: patterns.waitSeconds.source,
    }),
  ),
})
const interactionFields = {
  interaction_id: Type.String(),
  session_id: Type.String(),
  kind: Type.Enum(['exec', 'str_replace']),
  command: Type.String({
    description: `The command, up to ${limits.interactionCommandLength} characters of it, or the path of the file`,
  }),
  created_at: time(),
  status: interactionStatus,
  exit_code: nullable(Type.Integer(), {
    description:
      'null until the command has ended. 124: it was ended at its time limit. -1000: the server failed or the session ended, and message says why',
  }),
  execution_time_seconds: nullable(Type.Number()),
  success: nullable(Type.Boolean()),
  message: nullableText('What there is to say beside the output, such as which limit was reached'),
  reason: nullableText(
    'Why the command ended: exited, signalled, timeout, oom, disk_full, stopped, …; null while it runs',
  ),
  truncated: Type.Boolean({ description: 'Whether output is missing from the answer: only the newest is kept' }),
}
export const interactionAnswer = object({
  ...interactionFields,
  stdout: nullableText('null until the command has ended'),
  stderr: nullableText('null until the command has ended'),
  stdout_base64: Type.Optional(Type.String({ description: 'Only when the output is not UTF-8' })),
  stderr_base64: Type.Optional(Type.String({ description: 'Only when the output is not UTF-8' })),
})
export const interactionsAnswer = object({
  interactions: Type.Array(object(interactionFields), { description: 'Oldest first, without output' }),
  total_count: Type.Integer({ description: 'Interactions on all pages' }),
  has_more: Type.Boolean(),
})

const text = (description: string, minLength: number) =>
  Type.String({ description, minLength, maxLength: limits.patchBytes })
export const strReplaceBody = object({
  file_path: Type.String({
    description: "Path to the file where replacement should be performed; relative to the sample's directory",
    minLength: 1,
    maxLength: 4095,
    pattern: patterns.withoutNul.source,
  }),
  str_to_replace: text('String to be replaced, which has to be there exactly once', 1),
  str_to_insert: text('String to insert as replacement', 0),
})
export const strReplaceAnswer = object({
  success: Type.Boolean(),
  message: Type.String({
    description: 'What was done; otherwise why not, with the number of occurrences and their lines',
  }),
  interaction_id: Type.String(),
})

export const filesQuery = object({
  path: Type.String({
    description: "A path in the session; relative to the sample's directory",
    minLength: 1,
    maxLength: 4095,
    pattern: patterns.withoutNul.source,
  }),
})
export const putFilesAnswer = object({ path: Type.String() })
