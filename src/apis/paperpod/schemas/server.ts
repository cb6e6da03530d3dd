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
      since: text('Since when the helper has this status'),
      reason: Type.Optional(text('What does not work; only if the helper is degraded')),
    }),
    { description: 'The parts that the server depends on, by name' },
  ),
  desktopImage: Type.Optional(
    object({
      state: text('waiting, building or failed'),
      step: Type.Optional(text('What the build does right now')),
      progress: Type.Optional(Type.Number({ description: 'How far it is, from 0 to 1' })),
    }),
  ),
})
