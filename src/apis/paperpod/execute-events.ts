import { Type } from 'typebox'
import type { DocumentedMessage } from '../../http/documented-message.ts'
import { errorEvent } from './error-event.ts'
import { object } from '../schema.ts'
import { exitFields } from './schemas/execute.ts'

const output = (name: 'stdout' | 'stderr'): DocumentedMessage => ({
  name,
  from: 'server',
  description: `A part of ${name}, as the program writes it`,
  schema: object({ type: Type.Literal(name), data: Type.String({ description: 'Text' }) }),
  example: { type: name, data: name === 'stdout' ? '0\n' : 'Traceback (most recent call last):\n' },
})

/** Returns the events of `POST /execute/stream`. */
export function executeEvents(): DocumentedMessage[] {
  return [
    {
      name: 'start',
      from: 'server',
      description: 'The program runs',
      schema: object({
        type: Type.Literal('start'),
        processId: Type.String({ description: 'The id for /process/get and /process/kill' }),
        sessionId: Type.String(),
      }),
      example: { type: 'start', processId: 'qcjywd3tg81w7vdtpjn4', sessionId: '' },
    },
    output('stdout'),
    output('stderr'),
    {
      name: 'complete',
      from: 'server',
      description: 'The program has ended, and all its output was sent; the last event',
      schema: object({ type: Type.Literal('complete'), ...exitFields }),
      example: {
        type: 'complete',
        exitCode: 0,
        signal: null,
        reason: 'exited',
        truncated: false,
        durationMs: 31,
      },
    },
    errorEvent('The stream cannot go on; the last event'),
  ]
}
