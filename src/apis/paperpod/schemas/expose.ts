import { Type } from 'typebox'
import { object } from '../../schema.ts'
import { sessionId } from './shared.ts'

export const exposeBody = object({
  port: Type.Integer({ description: '1-65535 (avoid 3000-3010 reserved)', minimum: 1, maximum: 65_535 }),
  sessionId,
})

export const exposeAnswer = object({
  url: Type.String(),
  wsUrl: Type.String(),
  exposedAt: Type.String(),
  port: Type.Integer(),
  sessionId: Type.String(),
})
