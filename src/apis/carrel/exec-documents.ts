import { Type, type TProperties } from 'typebox'
import type { DocumentedMessage } from '../../http/documented-message.ts'
import { CarrelError } from '../../errors.ts'
import { nullable, nullableText, object } from '../schema.ts'
import { envelope } from './errors.ts'
import { clientMessages } from './exec-messages.ts'

const fromClient = (name: keyof typeof clientMessages, description: string, fields: object): DocumentedMessage => ({
  name,
  from: 'client',
  description,
  schema: clientMessages[name],
  example: { type: name, ...fields },
})

const fromServer = (name: string, description: string, fields: TProperties, example: object): DocumentedMessage => ({
  name,
  from: 'server',
  description,
  schema: object({ type: Type.Literal(name), ...fields }),
  example: { type: name, ...example },
})

/** Returns the messages of `/v1/exec`, in both directions. */
export function execMessages(): DocumentedMessage[] {
  const processId = 'qcjywd3tg81w7vdtpjn4'
  const error = new CarrelError('not_found', `Cannot attach to process "${processId}": its output is not kept`)
  const { properties } = envelope.schema as unknown as { properties: TProperties }
  return [
    fromClient('start', 'Starts a program; the first message, unless attach is', {
      command: 'ls -la',
      tty: { cols: 80, rows: 24 },
      sessionId: 'work',
    }),
    fromClient('attach', 'Follows a process from a position in its output; the first message, unless start is', {
      processId,
      cursor: 4096,
      sessionId: 'work',
    }),
    {
      name: 'bytes of stdin',
      from: 'client',
      description:
        'A binary message: a byte 0, then input. While the program does not read, the connection is not read',
      example: '00 6c 73 0a',
    },
    fromClient('eof', 'Ends the input', {}),
    fromClient('resize', 'Changes the size of the terminal', { cols: 120, rows: 40 }),
    fromClient('signal', 'Sends a signal', { signal: 'SIGINT', scope: 'tree' }),
    fromServer(
      'started',
      'The program runs',
      { processId: Type.String({ description: 'For attach, and for the process routes' }), pid: Type.Integer() },
      { processId, pid: 12 },
    ),
    {
      name: 'bytes of output',
      from: 'server',
      description: 'A binary message: a byte 1 for stdout or 2 for stderr, then output. A terminal has only stdout',
      example: '01 68 65 6c 6c 6f 0a',
    },
    fromServer(
      'cursor',
      'All output before this position was sent: keep it, to attach again after a lost connection',
      { cursor: Type.Integer() },
      { cursor: 31 },
    ),
    fromServer(
      'exit',
      'The program has ended, and all its output was sent; the connection is then closed with 1000',
      {
        exitCode: nullable(Type.Integer()),
        signal: nullableText(),
        reason: Type.String({
          description:
            'exited, signalled, timeout, oom, disk_full, stopped, lost, or why it was no longer paid for: out_of_credits, spending_limit',
        }),
        truncated: Type.Boolean({ description: 'True if output was dropped before it could be sent' }),
      },
      { exitCode: 0, signal: null, reason: 'exited', truncated: false },
    ),
    {
      name: 'error',
      from: 'server',
      description: 'What failed; before started, the connection is then closed with 1008',
      schema: Type.Object({ type: Type.Literal('error'), ...properties }, { additionalProperties: true }),
      example: { type: 'error', ...envelope.body(error, '', {}) },
    },
  ]
}
