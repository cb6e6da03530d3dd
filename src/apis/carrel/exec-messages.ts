import { Type, type Static, type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { limits } from '../../config/limits.ts'
import type { SchemaError } from '../../http/invalid-value.ts'
import { languages } from '../../engine/computers/processes/program.ts'
import { environment } from '../environment.ts'
import { object } from '../schema.ts'
import { sessionName } from '../session-name.ts'
import { timeLimit } from '../time-limit.ts'
import { signals, terminalSize } from '../../http/sockets/terminal-fields.ts'

const start = object({
  type: Type.Literal('start'),
  argv: Type.Optional(
    Type.Array(Type.String(), {
      description: 'A program with its arguments, run without a shell; or send command',
      minItems: 1,
      maxItems: 10_000,
    }),
  ),
  command: Type.Optional(Type.String({ description: 'Code in language; or send argv', maxLength: limits.codeBytes })),
  language: Type.Optional(Type.Enum([...languages], { description: 'The language of command', default: 'shell' })),
  sessionId: Type.Optional(sessionName),
  env: Type.Optional(environment),
  cwd: Type.Optional(
    Type.String({ description: 'Working directory; /workspace by default', minLength: 1, maxLength: 4096 }),
  ),
  user: Type.Optional(Type.String({ description: 'A user, or uid:gid', minLength: 1, maxLength: 64 })),
  stdin: Type.Optional(
    Type.Boolean({ description: 'Whether input will be sent; otherwise stdin is empty', default: false }),
  ),
  tty: Type.Optional(
    Type.Object(terminalSize.properties, { description: 'The size of the terminal; without it, there are pipes' }),
  ),
  timeoutMs: Type.Optional(timeLimit('the program and everything that it started is killed (default: no limit)')),
})
const attach = object({
  type: Type.Literal('attach'),
  processId: Type.String({
    description: 'A process that runs, or whose output is kept',
    maxLength: limits.processIdLength,
  }),
  cursor: Type.Optional(
    Type.Integer({
      description: 'Send the output after this position; 0 means all that is kept',
      minimum: 0,
      default: 0,
    }),
  ),
  fromEnd: Type.Optional(Type.Boolean({ description: 'Leave out the output so far', default: false })),
  sessionId: Type.Optional(sessionName),
})
const resize = object({ type: Type.Literal('resize'), ...terminalSize.properties })
const signal = object({
  type: Type.Literal('signal'),
  signal: Type.Enum([...signals]),
  scope: Type.Optional(
    Type.Enum(['process', 'tree'], {
      description: 'The process alone, or its descendants too',
      default: 'process',
    }),
  ),
})
const eof = object({ type: Type.Literal('eof') })

export type StartMessage = Static<typeof start>
export type AttachMessage = Static<typeof attach>
export type FirstMessage = StartMessage | AttachMessage
export type LaterMessage = Static<typeof resize> | Static<typeof signal> | Static<typeof eof>

/** The schemas of the client's messages, for the documents. */
export const clientMessages = { start, attach, resize, signal, eof }

/** Validators by `type`, so that a refusal is about the message that was meant. */
export const firstMessages = { start: kind(start), attach: kind(attach) }
export const laterMessages = { resize: kind(resize), signal: kind(signal), eof: kind(eof) }

/** The first byte of a binary message. */
export const channels = { stdin: 0, stdout: 1, stderr: 2 } as const

/** A kind of message: its schema, and the functions that check it. */
export interface MessageKind {
  schema: TSchema
  Check: (value: unknown) => boolean
  Errors: (value: unknown) => SchemaError[]
}

function kind(schema: TSchema): MessageKind {
  const validator = Compile(schema)
  return { schema, Check: (value) => validator.Check(value), Errors: (value) => validator.Errors(value) }
}
