import { Type } from 'typebox'
import { object } from '../../schema.ts'
import { text } from './shared.ts'

export const discoveryAnswer = Type.Object(
  { name: Type.String(), baseUrl: Type.String(), endpoints: Type.Record(Type.String(), Type.Unknown()) },
  { additionalProperties: true },
)

export const healthAnswer = object({
  status: text('ok: the server answers'),
  service: Type.String(),
  version: Type.String(),
  timestamp: Type.String(),
  helpers: Type.Record(
    Type.String(),
    object({
      status: text('ok or degraded'),
      since: text('Since when it is so'),
      reason: Type.Optional(text('What does not work, of one that is degraded')),
    }),
    { description: 'What the server works with, by name' },
  ),
})
