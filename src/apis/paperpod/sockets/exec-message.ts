import { Type, type Static } from 'typebox'
import { limits } from '../../../config/limits.ts'
import { openComputer } from '../../../engine/computers/access/open-computer.ts'
import { endWhenGone } from '../../../engine/computers/processes/end-abandoned.ts'
import { collectExecution } from '../../../engine/computers/processes/execute.ts'
import { programFor, type Program } from '../../../engine/computers/processes/program.ts'
import { startProcess } from '../../../engine/computers/processes/start-process.ts'
import { waitForExit } from '../../../engine/computers/processes/wait-for-exit.ts'
import type { ProcessHandle } from '../../../engine/types.ts'
import { CarrelError } from '../../../errors.ts'
import { executeAnswerOf, exitFieldsOf, runStatus } from '../mapping.ts'
import { LargeResponse } from '../../../http/large-response.ts'
import { terminalSize } from '../../../http/sockets/terminal-fields.ts'
import { piecesOf } from '../../../json/text-pieces.ts'
import { Slices } from '../../../slices.ts'
import { bytesOf } from '../../../text-bytes.ts'
import { executeBody } from '../schemas/execute.ts'
import { sessionId } from '../schemas/shared.ts'
import { environmentOf } from '../../environment.ts'
import { timeLimit, timeLimitMs } from '../../time-limit.ts'
import { defineMessage, type Answer, type Call } from './message.ts'
import { ExactCursor } from './exact-cursor.ts'
import { sendOutput } from './send-output.ts'
import { StderrTail, suggestAfter } from './suggestions.ts'

const { code, language, env, cwd } = executeBody.properties

const fields = Type.Object(
  {
    command: Type.Optional(Type.String({ description: 'Shell command', maxLength: limits.codeBytes })),
    code: Type.Optional(code),
    language: Type.Optional(language),
    argv: Type.Optional(
      Type.Array(Type.String(), {
        description: 'Program and arguments, run without a shell',
        minItems: 1,
        maxItems: 10_000,
      }),
    ),
    sessionId,
    env,
    cwd,
    user: Type.Optional(Type.String({ description: 'User of the sandbox', minLength: 1, maxLength: 64 })),
    timeout: Type.Optional(
      timeLimit(
        `the program and everything that it started is killed (default: ${limits.executeDefaultTimeoutMs}; no limit with tty or open stdin)`,
      ),
    ),
    stream: Type.Optional(
      Type.Boolean({
        description: 'Send output as events while the program runs; always true with tty or open stdin',
        default: false,
      }),
    ),
    stdin: Type.Optional(
      Type.Union([Type.Boolean(), Type.String()], {
        description: 'The whole input as text, or true to send input with process messages',
      }),
    ),
    tty: Type.Optional(
      Type.Union([Type.Boolean(), Type.Object(terminalSize.properties, { additionalProperties: false })], {
        description: 'A terminal: true, or { cols, rows }',
      }),
    ),
    encoding: Type.Optional(
      Type.Enum(['utf8', 'base64'], { description: 'The encoding of output in events', default: 'utf8' }),
    ),
  },
  { additionalProperties: false },
)
type Fields = Static<typeof fields>

export const execMessage = defineMessage({
  type: 'exec',
  description: 'Run a command or code to completion',
  fields,
  returns: '{ status, processId, sessionId, result: { stdout, stderr, exitCode, signal, reason, truncated } }',
  notes:
    'Send one of command, code and argv. With stream, the events are start { processId, pid }, then stdout and stderr { processId, text, cursor }, and the result has no output. Without stream, it is ended when the connection closes. A streamed process waits while its client does not read, and is ended a minute after its last connection is gone; within that minute, process attach with the last cursor resumes the output.',
  example: { command: 'echo hello; echo oh >&2; exit 3' },
  run,
})

async function run(call: Call<Fields>): Promise<Answer | undefined> {
  const { engine, caller, watch, releaseMessage } = call
  const { stdin, timeout, env: variables, cwd: directory, user, tty: terminal } = call.fields
  const session = call.fields.sessionId ?? ''
  const tty = terminal === true ? { cols: 80, rows: 24 } : terminal || undefined
  const isOpen = stdin === true || tty !== undefined
  const streams = isOpen || call.fields.stream === true
  const program = programOf(call.fields)
  using computer = await openComputer(engine, caller, { name: session }, 'run')
  watch(session, computer)
  const process = await startProcess(engine, computer, {
    kind: tty ? 'interactive' : 'exec',
    program,
    command: call.fields.command ?? call.fields.code ?? program.argv.join(' '),
    env: environmentOf(variables),
    cwd: directory,
    user,
    tty,
    stdin: isOpen || typeof stdin === 'string',
    timeoutMs: timeLimitMs(timeout ?? (isOpen ? 0 : limits.executeDefaultTimeoutMs)),
    attended: streams,
    backpressure: streams,
  })
  releaseMessage()
  if (typeof stdin === 'string') void feed(process, call.fields as { stdin: string }, caller.accountId)
  return streams ? await stream(call, process, session) : await collect(call, process, session)
}

function programOf({ command, code: text, argv, language: kind }: Fields): Program {
  if ([command, text, argv].filter((given) => given !== undefined).length !== 1)
    throw new CarrelError('invalid_request', 'Cannot run: send one of "command", "code" and "argv"', {
      details: { field: 'command' },
    })
  if (text !== undefined && kind === undefined)
    throw new CarrelError('invalid_request', 'Cannot use field "language": it is missing', {
      details: { field: 'language' },
    })
  return argv ? { argv } : programFor(kind ?? 'shell', command ?? text!)
}

async function collect(call: Call<Fields>, process: ProcessHandle, session: string): Promise<Answer> {
  const { engine, closed } = call
  const exit = await waitForExit(engine.server, process).finally(endWhenGone(engine.server, process, closed))
  return async () => {
    const execution = await collectExecution(engine, process, exit)
    const stderr = execution.stderr.subarray(-4096).toString()
    suggestAfter(call, { exit, stderr, processId: process.processId, sessionId: session, command: call.fields.command })
    return new LargeResponse(executeAnswerOf(execution, session), call.caller.accountId, [execution.release])
  }
}

async function stream(call: Call<Fields>, process: ProcessHandle, session: string): Promise<Answer | undefined> {
  const { engine, closed, attached, fields: asked } = call
  const { processId, pid } = process
  const disconnect = engine.clientPresence.connect(process)
  const detached = new AbortController()
  const stderr = new StderrTail()
  attached.set(processId, detached)
  try {
    await call.send('start', { processId, pid, sessionId: session })
    const { truncated } = await sendOutput(call, process, {
      processId,
      cursor: new ExactCursor(0),
      encoding: asked.encoding ?? 'utf8',
      signal: AbortSignal.any([closed, detached.signal]),
      onStderr: (text) => stderr.add(text),
    })
    if (closed.aborted || detached.signal.aborted) return { processId, sessionId: session, status: 'detached' }
    const exit = await process.wait()
    suggestAfter(call, { exit, stderr: stderr.text, processId, sessionId: session, command: asked.command })
    const result = { ...exitFieldsOf(exit, process.startedAtMs), truncated }
    return { status: runStatus[exit.reason], processId, sessionId: session, result }
  } finally {
    attached.delete(processId)
    disconnect()
  }
}

/** Writes the whole input to a process, which can end before it has read everything. */
async function feed(process: ProcessHandle, fields: { stdin: string }, accountId: string): Promise<void> {
  try {
    const input = await bytesOf(piecesOf(fields, 'stdin'), new Slices(accountId))
    for (let at = 0; at < input.length; at += limits.stdinMessageBytes)
      await process.write(input.subarray(at, at + limits.stdinMessageBytes))
    await process.closeStdin()
  } catch {
    // If the process has ended, its exit is reported anyway.
  }
}
