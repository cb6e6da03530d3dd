import { limits } from '../../../config/limits.ts'
import type { App } from '../../../http/app.ts'
import type { DocumentedMessage } from '../../../http/documented-message.ts'
import answers from '../example-answers.json' with { type: 'json' }
import { connectionMessages } from './connection-messages.ts'
import { execMessage } from './exec-message.ts'
import { fileMessages } from './file-messages.ts'
import type { Fields, Message } from './message.ts'
import { processMessages } from './process-messages.ts'
import { MessageRoutes } from './route-message.ts'
import { routeMessages } from './route-messages.ts'
import { socketEvents } from './socket-events.ts'

/** Every message that a client can send. Must be created before the routes that some messages call. */
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

  /** The types of all messages, without duplicates. */
  get types(): string[] {
    return [...new Set(this.#all.map(({ type }) => type))]
  }

  /** Returns the messages of a type: one, or several that differ by `action`. */
  of(type: string): Message[] {
    return this.#all.filter((message) => message.type === type)
  }

  /** Returns every message and event for the documents. */
  documented(): DocumentedMessage[] {
    const own = this.#all.map(({ type, action, route, help, schema }): DocumentedMessage => {
      const { description, notes, example } = help()
      const name = action === undefined ? type : `${type} ${action}`
      return {
        name,
        from: 'client',
        description: notes === undefined ? description : `${description}. ${notes}`,
        route,
        schema: schema(),
        example: { type, ...(action === undefined ? {} : { action }), id: 7, ...(example as Fields | undefined) },
        answer: (answers as Fields)[`/ws ${name}`],
      }
    })
    return [...own, ...socketEvents()]
  }

  help(): Fields {
    return {
      protocol: {
        request:
          '{ type, id?, …fields }, or the fields under data. id is a string or number that you choose, unique among your unanswered requests: every answer and event of the request has it',
        answer:
          '{ type, id, data }: one for each request, with the type <type>_result, unless the message has another answer, or error',
        events: 'Events have the id of their request; suggestions that belong to no request have no id',
        encoding: 'Messages are JSON in text frames. Bytes are base64 in fields that say so',
        limits: {
          messageBytes: limits.jsonBodyBytes,
          requestsAtOnce: limits.socketRequests,
          idleCloseSeconds: limits.stalledClientMs / 1000,
        },
        resume:
          'A streamed exec survives a dropped connection for a minute, and processes of process start need none; exec without stream and interpret end at once. Connect again and send process attach with the last cursor of each process',
        closeCodes: {
          1002: 'A frame violated the protocol',
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
          data: '{ processId, text or base64, cursor, truncated? }: truncated is true if output before it was dropped',
        },
        stderr: { of: 'exec with stream, process attach', data: 'as stdout' },
        exit: { of: 'process attach', data: '{ processId, status, exitCode, signal, reason, durationMs, truncated }' },
        suggestion: {
          of: 'sandboxes in use',
          data: '{ message, category, action?, processId?, sessionId?, … }: action is a message that you can send as it is, or has the type operator',
        },
        error: { of: 'any request', data: '{ error, code, action, agentInstruction, retryable, requestId, … }' },
      },
    }
  }
}
