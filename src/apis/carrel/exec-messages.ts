import { Type, type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { limits } from '../../config/limits.ts'
import { languages } from '../../engine/computers/processes/program.ts'
import { environment } from '../environment.ts'
import { sessionName } from '../session-name.ts'
import { timeLimit } from '../time-limit.ts'
import { signals, terminalSize } from '../../http/sockets/terminal-fields.ts'

const start = Type.Object({
  type: Type.Literal('start'),
  argv: Type.Optional(Type.Array(Type.String(), { minItems: 1, maxItems: 10_000 })),
  command: Type.Optional(Type.String({ maxLength: limits.codeBytes })),
  language: Type.Optional(Type.Enum([...languages])),
  sessionId: Type.Optional(sessionName),
  env: Type.Optional(environment),
  cwd: Type.Optional(Type.String({ minLength: 1, maxLength: 4096 })),
  user: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  stdin: Type.Optional(Type.Boolean()),
  tty: Type.Optional(terminalSize),
  timeoutMs: Type.Optional(timeLimit('the program and everything that it started is killed (default: no limit)')),
})
const attach = Type.Object({
  type: Type.Literal('attach'),
  processId: Type.String({ maxLength: limits.processIdLength }),
  cursor: Type.Optional(Type.Integer({ minimum: 0 })),
  /** Leaves out the output so far. */
  fromEnd: Type.Optional(Type.Boolean()),
  sessionId: Type.Optional(sessionName),
})
const resize = Type.Object({ type: Type.Literal('resize'), ...terminalSize.properties })
const signal = Type.Object({
  type: Type.Literal('signal'),
  signal: Type.Enum([...signals]),
  scope: Type.Optional(Type.Enum(['process', 'tree'])),
})
const eof = Type.Object({ type: Type.Literal('eof') })

export type StartMessage = Static<typeof start>
export type AttachMessage = Static<typeof attach>
export type FirstMessage = StartMessage | AttachMessage
export type LaterMessage = Static<typeof resize> | Static<typeof signal> | Static<typeof eof>

/** Validators by `type`, so that a refusal is about the message that was meant. */
export const firstMessages = { start: Compile(start), attach: Compile(attach) }
export const laterMessages = { resize: Compile(resize), signal: Compile(signal), eof: Compile(eof) }

/** The first byte of a binary message. */
export const channels = { stdin: 0, stdout: 1, stderr: 2 } as const
