import { Type } from 'typebox'
import { limits } from '../../config/limits.ts'
import { nullableText, nullableTime, object, time } from '../schema.ts'
import { computerParams } from './computer-schemas.ts'

export const kind = Type.Enum(['browser', 'vnc', 'ssh', 'exec'], { description: 'What the session opens' })

const session = object({
  id: Type.String(),
  computer_id: Type.String(),
  kind,
  state: Type.Enum(['active', 'expired', 'revoked', 'ended'], {
    description: 'ended: the computer has stopped, or belongs to another workspace',
  }),
  access_url: Type.String({ description: 'Where the session is used, with its token when the session was created' }),
  connect_url: Type.String({ description: 'Where programs use the session, without its token' }),
  connect_token: nullableText('The token of the session, shown only when the session is created'),
  transport: Type.Optional(
    object({
      protocol: Type.String(),
      auth: Type.String({ description: 'How the token is sent' }),
      service: Type.Optional(Type.String()),
      base_path: Type.Optional(Type.String()),
      capabilities: Type.Optional(Type.Array(Type.String())),
    }),
  ),
  vnc_host: Type.Optional(Type.String({ description: 'Where a plain VNC client connects' })),
  vnc_port: Type.Optional(Type.Integer()),
  vnc_user: Type.Optional(Type.String({ description: 'The user name; the password is the token' })),
  ssh_user: Type.Optional(Type.String()),
  ssh_host: Type.Optional(Type.String()),
  ssh_port: Type.Optional(Type.Integer()),
  command: Type.Optional(Type.String()),
  created_at: time(),
  expires_at: time(),
  revoked_at: nullableTime('Null unless the session was revoked'),
})

export const sessionAnswer = object({ session })

const { min, max } = limits.accessSessionMs
export const lifeSeconds = Type.Optional(
  Type.Integer({
    description: `How long the session lasts at most, in seconds; ${limits.accessSessionDefaultMs / 1000} by default`,
    minimum: min / 1000,
    maximum: max / 1000,
  }),
)
export const createSessionBody = object({ kind, ttl_seconds: lifeSeconds })

export const sessionParams = object({
  ...computerParams.properties,
  sessionId: Type.String({ minLength: 1, maxLength: 128, examples: ['8mz4kq1v6s3xt7c9w2np'] }),
})
