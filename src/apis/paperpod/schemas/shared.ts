import { Type } from 'typebox'
import { environment } from '../../environment.ts'
import { nullable } from '../../schema.ts'
import { sessionName } from '../../session-name.ts'

export const text = (description: string, options: { maxLength?: number; minLength?: number } = {}) =>
  Type.String({ description, ...options })

export const sessionId = Type.Optional(sessionName)

export const env = Type.Optional(environment)

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
