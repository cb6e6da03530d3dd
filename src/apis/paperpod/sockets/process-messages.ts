import { Type } from 'typebox'
import { limits } from '../../../config/limits.ts'
import { findComputer } from '../../../engine/computers/access/open-computer.ts'
import { attachProcess } from '../../../engine/computers/processes/attach-process.ts'
import type { ProcessHandle } from '../../../engine/types.ts'
import { CarrelError } from '../../../errors.ts'
import { exitFieldsOf, fromShortBase64, runStatus } from '../mapping.ts'
import { signals, terminalSize } from '../../../http/sockets/terminal-fields.ts'
import { processId } from '../schemas/process.ts'
import { sessionId } from '../schemas/shared.ts'
import { defineMessage, type Answer, type Call, type Fields, type Message } from './message.ts'
import type { MessageRoutes } from './route-message.ts'
import { ExactCursor } from './exact-cursor.ts'
import { sendOutput } from './send-output.ts'
import { StderrTail, suggestAfter } from './suggestions.ts'

interface Named {
  processId: string
  sessionId?: string
}

/** Returns the messages about processes, both of background processes and of `exec`: their ids are interchangeable. */
export function processMessages(routes: MessageRoutes): Message[] {
  return [
    routes.message('process', { action: 'start', route: 'POST /process/start' }),
    routes.message('process', { action: 'list', route: 'POST /process/list' }),
    routes.message('process', { action: 'get', route: 'POST /process/get', large: true }),
    routes.message('process', { action: 'kill', route: 'POST /process/kill' }),
    defineMessage({
      type: 'process',
      action: 'attach',
      description: 'Get the output of a process after a cursor as it is written, and its exit',
      fields: Type.Object(
        {
          processId,
          sessionId,
          cursor: Type.Optional(
            Type.Union([Type.Integer({ minimum: 0 }), Type.String({ maxLength: 64 })], {
              description: 'The cursor of the last output that you received; 0 means all output that is kept',
              default: 0,
            }),
          ),
          encoding: Type.Optional(
            Type.Enum(['utf8', 'base64'], { description: 'The encoding of output in events', default: 'utf8' }),
          ),
        },
        { additionalProperties: false },
      ),
      returns: '{ success, processId, id, status }, then events stdout and stderr { processId, text, cursor } and exit',
      notes:
        'The events name the process as this message does, by its name or by its id. After a dropped connection no output is lost or repeated. Attaching does not keep a sandbox from being stopped.',
      example: { processId: 'web', cursor: 0 },
      run: attach,
    }),
    defineMessage({
      type: 'process',
      action: 'detach',
      description: 'Stop sending the output of a process on this connection; the process continues',
      fields: Type.Object({ processId, sessionId }, { additionalProperties: false }),
      returns: '{ success, processId }',
      example: { processId: 'web' },
      async run(call) {
        const process = await find(call)
        call.attached.get(process.processId)?.abort()
        return { success: true, processId: call.fields.processId }
      },
    }),
    defineMessage({
      type: 'process',
      action: 'stdin',
      description: 'Send input to a process that was started with stdin or tty',
      fields: Type.Object(
        {
          processId,
          sessionId,
          text: Type.Optional(Type.String({ description: 'Input as text', maxLength: limits.stdinMessageBytes })),
          base64: Type.Optional(
            Type.String({
              description: 'Input as bytes',
              maxLength: Math.ceil((limits.stdinMessageBytes * 4) / 3) + 4,
            }),
          ),
        },
        { additionalProperties: false },
      ),
      returns: '{ success, processId, bytes } once the process has room for more',
      notes: `Send at most ${limits.stdinMessageBytes} bytes at a time; input arrives in the order in which it is sent.`,
      example: { processId: 'qcjywd3tg81w7vdtpjn4', text: 'ls\n' },
      run: (call) => {
        const { text, base64 } = call.fields
        if ((text === undefined) === (base64 === undefined))
          throw new CarrelError('invalid_request', 'Cannot accept the input: send either "text" or "base64"', {
            details: { field: 'text' },
          })
        const bytes = text === undefined ? fromShortBase64(base64!, 'base64') : Buffer.from(text)
        return inOrder(call, (process) => process.write(bytes), { bytes: bytes.length })
      },
    }),
    defineMessage({
      type: 'process',
      action: 'eof',
      description: 'End the input of a process',
      fields: Type.Object({ processId, sessionId }, { additionalProperties: false }),
      returns: '{ success, processId }',
      example: { processId: 'qcjywd3tg81w7vdtpjn4' },
      run: (call) => inOrder(call, (process) => process.closeStdin()),
    }),
    defineMessage({
      type: 'process',
      action: 'resize',
      description: 'Resize the terminal of a process',
      fields: Type.Object({ processId, sessionId, ...terminalSize.properties }, { additionalProperties: false }),
      returns: '{ success, processId }',
      example: { processId: 'qcjywd3tg81w7vdtpjn4', cols: 120, rows: 40 },
      run: (call) => inOrder(call, (process) => process.resize(call.fields.cols, call.fields.rows)),
    }),
    defineMessage({
      type: 'process',
      action: 'signal',
      description: 'Send a signal to a process; kill also waits for its exit',
      fields: Type.Object(
        {
          processId,
          sessionId,
          signal: Type.Enum([...signals], { description: 'Such as SIGINT' }),
          scope: Type.Optional(
            Type.Enum(['process', 'tree'], {
              description: 'The process alone, or all its descendants too',
              default: 'tree',
            }),
          ),
        },
        { additionalProperties: false },
      ),
      returns: '{ success, processId }',
      example: { processId: 'qcjywd3tg81w7vdtpjn4', signal: 'SIGINT' },
      // Not queued after input that the program does not read: the signal may be what ends the program.
      async run(call) {
        await (await find(call)).kill(call.fields.signal, call.fields.scope ?? 'tree')
        return { success: true, processId: call.fields.processId }
      },
    }),
  ]
}

async function attach(
  call: Call<Named & { cursor?: number | string; encoding?: 'utf8' | 'base64' }>,
): Promise<Answer | undefined> {
  const { engine, closed, attached, fields } = call
  const process = await find(call)
  const { processId: id } = process
  // Its events name the process as the client does, by its name or by its id.
  const { processId, sessionId: session = '' } = fields
  if (attached.has(id))
    throw new CarrelError(
      'conflict',
      `Cannot attach to process ${JSON.stringify(processId)}: this connection is attached already`,
    )
  const cursor = new ExactCursor(fields.cursor ?? 0)
  const disconnect = engine.clientPresence.connect(process)
  const detached = new AbortController()
  const stderr = new StderrTail()
  attached.set(id, detached)
  try {
    const status = process.exit ? 'ended' : 'running'
    await call.send('process_result', { success: true, processId, id, status })
    const { truncated } = await sendOutput(call, process, {
      processId,
      cursor,
      encoding: fields.encoding ?? 'utf8',
      signal: AbortSignal.any([closed, detached.signal]),
      onStderr: (text) => stderr.add(text),
    })
    if (closed.aborted || detached.signal.aborted) return undefined
    const exit = await process.wait()
    const { truncated: _, ...fieldsOfExit } = exitFieldsOf(exit, process.startedAtMs)
    await call.send('exit', { processId, status: runStatus[exit.reason], ...fieldsOfExit, truncated })
    suggestAfter(call, { exit, stderr: stderr.text, processId, sessionId: session })
    return undefined
  } finally {
    attached.delete(id)
    disconnect()
  }
}

/**
 * Runs `work` after earlier messages for the process, so that input and sizes arrive in the order in which they were
 * sent.
 */
async function inOrder(
  call: Call<Named>,
  work: (process: ProcessHandle) => Promise<void>,
  more: Fields = {},
): Promise<Answer> {
  const { processId: name, sessionId: session = '' } = call.fields
  await call.inputs.run([session, name], async () => work(await find(call)))
  return { success: true, processId: name, ...more }
}

/** Returns the process that a message names. Neither starts nor creates a sandbox. */
async function find({ engine, caller, fields, watch }: Call<Named>): Promise<ProcessHandle> {
  const { processId: name, sessionId: session = '' } = fields
  const computer = await findComputer(engine, caller, { name: session }, 'run')
  if (!computer)
    throw new CarrelError('not_found', `Cannot find process ${JSON.stringify(name)}: there is no such sandbox yet`, {
      details: { field: 'sessionId' },
    })
  watch(session, computer)
  const process = await attachProcess(engine, computer, name)
  if (process) return process
  throw new CarrelError('not_found', `Cannot find process ${JSON.stringify(name)}: its output is not kept`, {
    details: { field: 'processId' },
  })
}
