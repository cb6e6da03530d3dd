import { limits } from '../../../config/limits.ts'
import type { App } from '../../../http/app.ts'
import { connectionMessages } from './connection-messages.ts'
import { execMessage } from './exec-message.ts'
import { fileMessages } from './file-messages.ts'
import type { Fields, Message } from './message.ts'
import { processMessages } from './process-messages.ts'
import { MessageRoutes } from './route-message.ts'
import { routeMessages } from './route-messages.ts'

/** Every message that a client may send. Made before the routes that some of them stand for. */
export class Messages {
  readonly #all: Message[]

  constructor(app: App) {
    const routes = new MessageRoutes(app)
    this.#all = [
      ...connectionMessages(() => this.help()),
      execMessage,
      ...fileMessages(routes),
      ...processMessages(routes),
      ...routeMessages(routes),
    ]
  }

  /** Their types, each once. */
  get types(): string[] {
    return [...new Set(this.#all.map(({ type }) => type))]
  }

  /** Those of a type: one, or several that differ by `action`. */
  of(type: string): Message[] {
    return this.#all.filter((message) => message.type === type)
  }

  help(): Fields {
    return {
      protocol: {
        request:
          '{ type, id?, …fields }, or the fields under data. id is a string or number of your own, which no other request has that is not answered yet: everything that answers carries it',
        answer:
          '{ type, id, data }: one for each request, of the type <type>_result unless it says otherwise, or error',
        events: 'With the id of their request; between requests, suggestions come without one',
        encoding: 'Messages are JSON as text. Bytes are base64 where a field says so',
        limits: {
          messageBytes: limits.jsonBodyBytes,
          requestsAtOnce: limits.socketRequests,
          idleCloseSeconds: limits.stalledClientMs / 1000,
        },
        resume:
          'A dropped connection ends no process for a minute; code of interpret is interrupted at once. Connect again and send process attach with the last cursor of each process',
        closeCodes: {
          1002: 'A frame broke the protocol',
          1007: 'Text that is not UTF-8',
          1008: 'The token is no longer valid, or its user has left the workspace',
          1009: 'A message larger than the limit',
          1012: 'The server restarts: connect again',
        },
      },
      messages: this.#all.map(({ type, action, answer, help }) => ({
        type,
        ...(action === undefined ? {} : { action }),
        answer: answer ?? `${type}_result`,
        ...help(),
      })),
      events: {
        start: { of: 'exec with stream', data: '{ processId, pid, sessionId }' },
        stdout: {
          of: 'exec with stream, process attach',
          data: '{ processId, text or base64, cursor, truncated? }: truncated when output before it was dropped',
        },
        stderr: { of: 'the same', data: 'the same' },
        exit: { of: 'process attach', data: '{ processId, status, exitCode, signal, reason, durationMs, truncated }' },
        suggestion: { of: 'what happens on a sandbox in use', data: '{ message, category, action, … }' },
        error: { of: 'any request', data: '{ error, code, action, agentInstruction, retryable, requestId, … }' },
      },
    }
  }
}
