import { limits } from '../../config/limits.ts'
import { findComputer, openComputer, type AccessibleComputer } from '../../engine/computers/access/open-computer.ts'
import { keepInUse } from '../../engine/computers/access/keep-in-use.ts'
import type { Caller } from '../../engine/caller.ts'
import type { Engine } from '../../engine/engine.ts'
import { attachProcess } from '../../engine/computers/processes/attach-process.ts'
import { startCode } from '../../engine/computers/processes/start-code.ts'
import { startProcess, type ProcessOptions } from '../../engine/computers/processes/start-process.ts'
import type { ProcessHandle } from '../../engine/types.ts'
import { asCarrelError, CarrelError } from '../../errors.ts'
import { checkUnicode } from '../../http/check-unicode.ts'
import { assertDepth, parseLargeJson } from '../../http/json-body.ts'
import { invalidValue } from '../../http/invalid-value.ts'
import { logFailure } from '../../http/log-failure.ts'
import type { ClientSocket } from '../../http/sockets/client-socket.ts'
import { InputQueue } from '../../http/sockets/input-queue.ts'
import { SendQueue } from '../../http/sockets/send-queue.ts'
import { processPieces } from '../../http/sockets/process-pieces.ts'
import { environmentOf } from '../environment.ts'
import { timeLimitMs } from '../time-limit.ts'
import {
  channels,
  firstMessages,
  laterMessages,
  type AttachMessage,
  type FirstMessage,
  type LaterMessage,
  type MessageKind,
  type StartMessage,
} from './exec-messages.ts'

interface Options {
  engine: Engine
  caller: Caller
  socket: ClientSocket
  errorBody: (error: CarrelError) => Record<string, unknown>
}

/**
 * Runs one program over a WebSocket. The first message starts the program, or attaches to a running one; then binary
 * messages carry bytes both ways, and JSON carries everything else. After a dropped connection the process continues
 * for a minute.
 */
export class ExecSocket {
  readonly #options: Options
  readonly #sendQueue: SendQueue
  readonly #closed = new AbortController()
  /** Settles when the program runs, or failed to start; messages that arrive earlier wait for it. */
  #starting: Promise<void> | undefined
  #process: ProcessHandle | undefined
  /** Ends the use of the computer. */
  #done: (() => void) | undefined
  #leaveProcess: (() => void) | undefined
  readonly #input: InputQueue

  constructor(options: Options) {
    this.#options = options
    const { socket } = options
    this.#sendQueue = new SendQueue(socket)
    this.#input = new InputQueue(socket, (error) => {
      // Input after the end of a process is not an error.
      if (!this.#process?.exit) return this.#send({ type: 'error', ...this.#options.errorBody(asCarrelError(error)) })
    })
    socket.on('message', (data: Buffer, binary: boolean) => void this.#receive(data, binary))
    socket.on('error', () => socket.terminate())
    socket.on('close', () => this.#leave())
  }

  async #receive(data: Buffer, binary: boolean): Promise<void> {
    try {
      if (!this.#starting) return await (this.#starting = this.#begin(data, binary).finally(this.#holdInput()))
      await this.#starting.catch(() => {})
      if (binary) this.#takeInput(data)
      else this.#control(checked(parse(data), laterMessages) as LaterMessage)
    } catch (error) {
      await this.#send({ type: 'error', ...this.#options.errorBody(asCarrelError(error)) })
      if (!this.#process) this.#options.socket.close(1008, 'not started')
    }
  }

  /** Leaves what follows the first message unread; returns what ends that. */
  #holdInput(): () => void {
    const { socket } = this.#options
    socket.hold('start', true)
    return () => socket.hold('start', false)
  }

  async #begin(data: Buffer, binary: boolean): Promise<void> {
    const { engine } = this.#options
    if (binary) throw new CarrelError('invalid_request', 'Cannot accept input: no program was started')
    const isLarge = data.length > limits.wholeJsonBytes
    const given = isLarge ? await parseLargeJson(data, this.#options.caller.accountId, 'message') : parse(data)
    const message = checked(given, firstMessages) as FirstMessage
    const process = await (message.type === 'start' ? this.#start(message) : this.#attach(message))
    if (!process) return
    const started = await startedOf(process, message)
    this.#process = process
    this.#leaveProcess = engine.clientPresence.connect(process)
    void this.#send({ type: 'started', ...started })
    void this.#pump(process, cursorOf(message, started.outputEnd))
    if (this.#closed.signal.aborted) this.#leave()
  }

  /** Starts a program; returns undefined if the client is gone before that. */
  async #start(message: StartMessage): Promise<ProcessHandle | undefined> {
    const { engine, caller } = this.#options
    const computer = await openComputer(engine, caller, { name: message.sessionId ?? '' }, 'run')
    return this.#use(computer.done, () => startProgram(engine, computer, message))
  }

  /** Attaches to a process without starting its sandbox: the output that a stopped sandbox keeps can be read too. */
  async #attach({ processId, sessionId = '' }: AttachMessage): Promise<ProcessHandle | undefined> {
    const { engine, caller } = this.#options
    const computer = await findComputer(engine, caller, { name: sessionId }, 'run')
    if (!computer)
      throw new CarrelError('not_found', 'Cannot attach: there is no such sandbox', { details: { field: 'sessionId' } })
    return this.#use(keepInUse(engine, computer), async () => {
      const process = await attachProcess(engine, computer, processId)
      if (process) return process
      throw new CarrelError('not_found', `Cannot attach to process "${processId}": its output is not kept`)
    })
  }

  /** Keeps the computer in use while the connection is open. */
  async #use(done: () => void, begin: () => Promise<ProcessHandle>): Promise<ProcessHandle | undefined> {
    this.#done = done
    if (!this.#closed.signal.aborted) return begin()
    done()
    return undefined
  }

  async #pump(process: ProcessHandle, cursor: number): Promise<void> {
    let truncated = false
    try {
      const { readBytes, maxBufferedBytes } = this.#options.socket
      const options = {
        cursor,
        signal: this.#closed.signal,
        readBytes,
        maxBytes: Math.min(readBytes, maxBufferedBytes),
      }
      for await (const piece of processPieces(process, options)) {
        truncated ||= piece.truncated
        if (piece.data.length > 0) await this.#sendQueue.sendBytes(channels[piece.stream], piece.data)
        await this.#send({ type: 'cursor', cursor: piece.cursor })
      }
      if (this.#closed.signal.aborted) return
      const exit = await process.wait()
      await this.#send({
        type: 'exit',
        exitCode: exit.exitCode,
        signal: exit.signal,
        reason: exit.reason,
        truncated,
      })
      this.#options.socket.close(1000)
    } catch (error) {
      logFailure(this.#options.engine.log, error)
      await this.#send({ type: 'error', ...this.#options.errorBody(asCarrelError(error)) })
      this.#options.socket.close(1011)
    }
  }

  #takeInput(data: Buffer): void {
    const process = this.#process
    if (!process) throw new CarrelError('invalid_request', 'Cannot accept input: no program was started')
    if (data[0] !== channels.stdin)
      throw new CarrelError('invalid_request', 'Cannot accept the message: its channel is not 0', {
        details: { channel: data[0] },
      })
    const bytes = data.subarray(1)
    this.#input.take(bytes.length, () => process.write(bytes))
  }

  #control(message: LaterMessage): void {
    const process = this.#process
    if (!process) throw new CarrelError('conflict', 'Cannot accept the message: the program did not start')
    this.#input.take(0, async () => {
      if (message.type === 'resize') await process.resize(message.cols, message.rows)
      else if (message.type === 'signal') await process.kill(message.signal, message.scope ?? 'process')
      else await process.closeStdin()
    })
  }

  #leave(): void {
    this.#closed.abort()
    this.#done?.()
    this.#leaveProcess?.()
  }

  /** Sends a message. Stops reading from a client that does not read its answers, until it reads them. */
  async #send(message: Record<string, unknown>): Promise<void> {
    const { socket } = this.#options
    if (this.#sendQueue.waiting > maxWaitingAnswers) socket.pause()
    await this.#sendQueue.send(() => JSON.stringify(message))
    if (socket.isPaused && !this.#input.isFull) socket.resume()
  }
}

function startProgram(engine: Engine, computer: AccessibleComputer<'run'>, message: StartMessage) {
  const { argv, command, language } = message
  if ((argv === undefined) === (command === undefined))
    throw new CarrelError('invalid_request', 'Cannot start: send either "argv" or "command"', {
      details: { field: 'argv' },
    })
  const options = optionsOf(message)
  if (argv) return startProcess(engine, computer, { ...options, command: argv.join(' '), program: { argv } })
  return startCode(engine, computer, { ...options, command: command!, language: language ?? 'shell', code: command! })
}

function optionsOf({
  env,
  cwd,
  user,
  stdin,
  tty,
  timeoutMs,
}: StartMessage): Omit<ProcessOptions, 'program' | 'command'> {
  return {
    kind: tty ? 'interactive' : 'exec',
    env: environmentOf(env),
    cwd,
    user,
    stdin,
    tty,
    timeoutMs: timeoutMs === undefined ? undefined : timeLimitMs(timeoutMs),
    attended: true,
    backpressure: true,
  }
}

interface Started {
  processId: string
  pid: number
  /** For a client that attaches: the cursor after the output so far; null when the process has ended. */
  outputEnd?: number | null
  /** For a client that attaches: whether the process has a terminal. */
  tty?: boolean
}

async function startedOf(process: ProcessHandle, { type }: FirstMessage): Promise<Started> {
  const { processId, pid } = process
  if (type === 'start') return { processId, pid }
  const outputEnd = process.exit ? null : await process.outputEnd()
  return { processId, pid, outputEnd, tty: process.meta['kind'] === 'interactive' }
}

/** Returns where the output begins that a client gets. */
function cursorOf(message: FirstMessage, outputEnd: number | null | undefined): number {
  if (message.type === 'start') return 0
  return (message.fromEnd ? outputEnd : undefined) ?? message.cursor ?? 0
}

/** Parses a message in one go: only the first message can be large. */
function parse(data: Buffer): unknown {
  if (data.length > limits.wholeJsonBytes)
    throw new CarrelError('too_large', `Cannot read the message: it is larger than ${limits.wholeJsonBytes} bytes`, {
      details: { maxBytes: limits.wholeJsonBytes },
    })
  assertDepth(data, 'message')
  let message: unknown
  try {
    message = JSON.parse(data.toString('utf8'))
  } catch {
    throw new CarrelError('invalid_request', 'Cannot read the message: it is not valid JSON')
  }
  checkUnicode(message, data)
  return message
}

function checked(message: unknown, kinds: Record<string, MessageKind>): unknown {
  const type = (message as { type?: unknown } | null)?.type
  const kind = typeof type === 'string' && Object.hasOwn(kinds, type) ? kinds[type] : undefined
  if (kind?.Check(message)) return message
  const params = { allowedValues: Object.keys(kinds) }
  const errors = kind?.Errors(message) ?? [{ keyword: 'enum', instancePath: '/type', params }]
  throw invalidValue(errors, message, 'message', kind?.schema)
}

const maxWaitingAnswers = 64
