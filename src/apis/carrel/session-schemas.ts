import { Type, type Static } from 'typebox'

const time = Type.String({ description: 'UTC, ISO 8601' })
const nullableTime = Type.Union([time, Type.Null()])

const session = Type.Object(
  {
    session_id: Type.String(),
    how: Type.String({ description: 'By what it came about, such as "email"' }),
    created_at: time,
    last_used_at: nullableTime,
    expires_at: nullableTime,
    current: Type.Boolean({ description: 'True for the one that asks' }),
  },
  { additionalProperties: false },
)
export type SessionAnswer = Static<typeof session>

export const sessionsAnswer = Type.Object({ sessions: Type.Array(session) }, { additionalProperties: false })
export const sessionParams = Type.Object(
  {
    sessionId: Type.String({
      description: 'The id of a session; "current" is the one that asks',
      minLength: 1,
      maxLength: 64,
      examples: ['current'],
    }),
  },
  { additionalProperties: false },
)
export const endSessionAnswer = Type.Object(
  { message: Type.String(), session_id: Type.String() },
  { additionalProperties: false },
)
export const endSessionsAnswer = Type.Object(
  { message: Type.String(), ended: Type.Integer({ description: 'How many there were' }) },
  { additionalProperties: false },
)
