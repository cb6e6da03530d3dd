import { Type, type Static } from 'typebox'
import { limits } from '../../config/limits.ts'
import { patterns } from '../../http/patterns.ts'
import { nullable, nullableText, object, time } from '../schema.ts'
import { sessionName } from '../session-name.ts'

const sandboxId = Type.String({
  description: 'The id of a sandbox, which GET /v1/sandboxes returns',
  minLength: 1,
  maxLength: 100,
  examples: ['sandb0x0000000000000'],
})
export const sandboxParams = object({ sandboxId })

export const sandboxesQuery = object({
  name: Type.Optional(sessionName),
  cursor: Type.Optional(
    Type.String({
      description: 'The next_cursor of the page before',
      minLength: 1,
      maxLength: 6 * limits.sessionIdLength + 8,
      pattern: patterns.listCursor.source,
    }),
  ),
})

const port = object({
  port: Type.Integer(),
  exposed: Type.Boolean({ description: 'Whether the port has a preview address' }),
  listening: Type.Boolean({ description: 'Whether a program listens on the port now' }),
})

export const sandboxAnswer = object({
  sandbox_id: Type.String({ description: 'Changes when the sandbox is deleted and created again' }),
  name: Type.String({ description: 'The sessionId of other routes; empty for the default sandbox' }),
  state: Type.String({ description: 'running, stopped, or a state in between' }),
  state_reason: nullableText('Why it is stopped, such as idle, requested or out_of_credits'),
  since: time('When it reached its state'),
  created_at: time(),
  keeps_files: Type.Boolean({
    description: 'Whether its files survive a stop: those of a computer that POST /v1/computers has created do',
  }),
  processes: nullable(Type.Integer(), { description: 'Running processes' }),
  idle_seconds: nullable(Type.Integer(), { description: 'How long nothing has used it; 0 while something does' }),
  idle_timeout_seconds: nullable(Type.Integer(), { description: 'The idle time after which it is stopped' }),
  disk_bytes: nullable(Type.Integer()),
  disk_limit_bytes: nullable(Type.Integer()),
  ports: Type.Array(port),
})
export type SandboxAnswer = Static<typeof sandboxAnswer>

export const sandboxesAnswer = object({
  sandboxes: Type.Array(sandboxAnswer),
  next_cursor: nullableText('Set when there are more: send it as cursor'),
})
export const stoppedAnswer = object({ message: Type.String(), sandbox_id: Type.String() })
