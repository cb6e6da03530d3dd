import { Type } from 'typebox'
import { object } from '../../schema.ts'

export const socketTicketAnswer = object({
  ticket: Type.String({ description: 'Opens one WebSocket, as ?ticket=' }),
  expiresIn: Type.Integer({ description: 'Seconds' }),
  url: Type.String({ description: 'With the ticket in it' }),
})

export const socketSessionAnswer = object({
  deprecated: Type.Boolean(),
  token: Type.String({ description: 'Opens one WebSocket, as ?token=' }),
  expiresIn: Type.Integer({ description: 'Seconds' }),
  url: Type.String(),
  replacement: Type.String(),
  notes: Type.String(),
})
