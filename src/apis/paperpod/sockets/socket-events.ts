import { Type, type TProperties } from 'typebox'
import type { DocumentedMessage } from '../../../http/documented-message.ts'
import { errorEvent, errorExample } from '../error-event.ts'
import { object } from '../../schema.ts'
import { exitFields } from '../schemas/execute.ts'

const processId = Type.String({ description: 'The process, for process messages' })
const id = Type.Union([Type.String(), Type.Number()], { description: 'The id of the request' })

interface Definition {
  type: string
  description: string
  data: TProperties
  example: object
}

function event({ type, description, data, example }: Definition): DocumentedMessage {
  return {
    name: type,
    from: 'server',
    description,
    schema: object({ type: Type.Literal(type), id: Type.Optional(id), data: object(data) }),
    example: { type, ...(type === 'suggestion' ? {} : { id: 7 }), data: example },
  }
}

const output = {
  processId,
  text: Type.Optional(Type.String()),
  base64: Type.Optional(Type.String({ description: 'Instead of text, with encoding base64' })),
  cursor: Type.Union([Type.Integer(), Type.String()], { description: 'The position after this output' }),
  truncated: Type.Optional(Type.Boolean({ description: 'True if output before it was dropped' })),
}
const process = 'qcjywd3tg81w7vdtpjn4'
const { durationMs, truncated, exitCode, signal, reason } = exitFields

/** Returns what the server sends on `/ws` besides answers. */
export function socketEvents(): DocumentedMessage[] {
  const { schema, ...error } = errorEvent('The request failed; it has no other answer')
  const { type, ...fields } = (schema as { properties: TProperties }).properties
  return [
    event({
      type: 'start',
      description: 'A program of exec runs, whose output is streamed',
      data: { processId, pid: Type.Integer(), sessionId: Type.String() },
      example: { processId: process, pid: 12, sessionId: '' },
    }),
    event({
      type: 'stdout',
      description: 'Output of exec with stream, or of process attach',
      data: output,
      example: { processId: process, text: 'hello\n', cursor: 31 },
    }),
    event({
      type: 'stderr',
      description: 'The same for the standard error',
      data: output,
      example: { processId: process, text: 'oh\n', cursor: 59 },
    }),
    event({
      type: 'exit',
      description: 'The attached process has ended, and all its output was sent',
      data: { processId, status: Type.String(), exitCode, signal, reason, durationMs, truncated },
      example: {
        processId: process,
        status: 'completed',
        exitCode: 0,
        signal: null,
        reason: 'exited',
        durationMs: 52,
        truncated: false,
      },
    }),
    event({
      type: 'suggestion',
      description: 'What could help next, such as the preview of a port on which a server has begun to listen',
      data: {
        message: Type.String({ description: 'For people' }),
        category: Type.Enum([
          'port_detected',
          'missing_module',
          'missing_command',
          'out_of_memory',
          'disk_full',
          'timeout',
          'unknown_field',
          'port_closed',
        ]),
        action: Type.Optional(
          Type.Object(
            { type: Type.String() },
            { additionalProperties: true, description: 'A message to send; type operator is for the operator alone' },
          ),
        ),
        processId: Type.Optional(Type.String()),
        port: Type.Optional(Type.Integer()),
        sessionId: Type.Optional(Type.String()),
      },
      example: {
        message: 'Python module "flask" is not installed: pip install flask',
        category: 'missing_module',
        action: { type: 'exec', command: 'pip install flask', timeout: 0 },
        processId: process,
      },
    }),
    {
      ...error,
      schema: object({
        type: type!,
        id: Type.Optional(id),
        data: Type.Object(fields, { additionalProperties: true }),
      }),
      example: { type: 'error', id: 7, data: errorExample() },
    },
  ]
}
