import { Type } from 'typebox'
import { object } from '../../schema.ts'

export const socketTicketAnswer = object({
  ticket: Type.String({ description: 'Opens one WebSocket when sent as ?ticket=' }),
  expiresIn: Type.Integer({ description: 'Seconds' }),
  url: Type.String({ description: 'The address of the WebSocket, including the ticket' }),
})

export const socketSessionAnswer = object({
  deprecated: Type.Boolean(),
  token: Type.String({ description: 'Opens one WebSocket when sent as ?token=' }),
  expiresIn: Type.Integer({ description: 'Seconds' }),
  url: Type.String(),
  replacement: Type.String(),
  notes: Type.String(),
})
