import { Type } from 'typebox'
import { limits } from '../../../config/limits.ts'
import { patterns } from '../../../http/patterns.ts'
import { nullable } from '../../schema.ts'

export const text = (description: string, options: { maxLength?: number; minLength?: number } = {}) =>
  Type.String({ description, ...options })

export const sessionName = Type.String({
  description: 'The name of a sandbox of the account; without it, the default sandbox',
  maxLength: limits.sessionIdLength,
  pattern: patterns.sessionName.source,
})

export const sessionId = Type.Optional(sessionName)

export const env = Type.Optional(
  Type.Record(Type.String(), Type.String(), {
    description: 'Environment variables',
    maxProperties: limits.environmentEntries,
  }),
)

export const cwd = Type.Optional(text('Working directory; /workspace by default', { maxLength: 4096, minLength: 1 }))

export const path = text('File path in the sandbox; a relative one is under /workspace', {
  maxLength: 8192,
  minLength: 1,
})

export const nullableNumber = nullable(Type.Integer())

export const eventStreamAnswer = {
  description: 'Server-sent events',
  content: { 'text/event-stream': { schema: Type.String() } },
}
