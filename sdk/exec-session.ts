import type { Context } from './context.ts'
import { deferred } from './deferred.ts'
import { CarrelApiError, CarrelConnectionError } from './errors.ts'
import { ExecConnection } from './exec-connection.ts'
import { parseOutputFrame, parseServerMessage, stdinFrame } from './exec-messages.ts'
import type {
  ClientMessage,
  ExecAttach,
  ExecExit,
  ExecProgram,
  ExecStart,
  ServerMessage,
  SignalScope,
  TerminalSize,
} from './exec-messages.ts'
import { collectResult } from './exec-result.ts'
import type { ExecResult } from './exec-result.ts'
import { OutputPosition } from './output-position.ts'
import { OutputQueue } from './output-queue.ts'
import type { ExecOutput } from './output-queue.ts'
import { StdinLedger } from './stdin-ledger.ts'

interface SessionOptions {
  /** Detaches from the program, as `close` does; reading rejects with the signal's reason. */
  signal?: AbortSignal | undefined
  /** How long reconnecting is attempted, in milliseconds; default 30,000. */
  reconnectMs?: number | undefined
  /** Called when the connection is lost, and when it is restored. */
  onConnection?: ((state: 'lost' | 'restored') => void) | undefined
}

export interface ExecOptions extends SessionOptions, ExecProgram {
  /** Keeps stdin open for `write`; default: false, stdin is empty. */
  stdin?: boolean | undefined
}

export interface AttachOptions extends SessionOptions {
  /** The position to read output from, `end` to leave out the output so far; default 0, the oldest that is kept. */
  cursor?: number | 'end' | undefined
  /** False for the output so far, without waiting for more; `exit` then rejects if the process runs. Default: true. */
  follow?: boolean
  sessionId?: string | undefined
}

const defaultReconnectMs = 30_000
/** How long the server may take to open a session and start the program. */
const startTimeoutMs = 60_000
/** Input is split into messages of this size. */
const inputChunkBytes = 64 * 1024
const maxBufferedBytes = 1024 * 1024

/** Starts a program in a session of its own. Resolves once the program runs. */
export async function openExecSession(context: Context, options: ExecOptions): Promise<ExecSession> {
  const { argv, command, language, env, cwd, user, stdin = false, tty, timeoutMs } = options
  if ((argv === undefined) === (command === undefined)) {
    throw new TypeError('An exec session takes either argv or command')
  }
  const sessionId = options.sessionId ?? context.sessionId
  const session = new ExecSession(context, options)
  await session.begin({ type: 'start', argv, command, language, sessionId, env, cwd, user, stdin, tty, timeoutMs })
  return session
}

/** Attaches to a process that runs or has ended. If there is no such process, reading its output fails. */
export async function attachExecSession(
  context: Context,
  processId: string,
  options: AttachOptions = {},
): Promise<ExecSession> {
  const { cursor = 0, follow = true, sessionId = context.sessionId } = options
  const session = new ExecSession(context, options, follow)
  const from = cursor === 'end' ? { cursor: 0, fromEnd: true } : { cursor }
  await session.begin({ type: 'attach', processId, ...from, sessionId })
  return session
}

/**
 * A running program and the connection to it. Iterating over the session yields the output as it arrives, and ends with
 * the program. Read all of it, as an unread session is paused. A lost connection is restored without losing or
 * repeating output. Only if input was in transit, so that a part of it may be lost, does the session fail.
 */
export class ExecSession implements AsyncIterable<ExecOutput> {
  /** Resolves when the program has ended and all of its output has arrived. */
  readonly exit: Promise<ExecExit>

  readonly #options: SessionOptions
  readonly #connection: ExecConnection
  readonly #queue: OutputQueue
  readonly #stdin = new StdinLedger()
  readonly #exit = deferred<ExecExit>()
  readonly #started = deferred()
  readonly #over = new AbortController()

  #position = new OutputPosition(0)
  #sessionId: string | undefined
  #processId = ''
  #pid = 0
  #hasTerminal = false
  #hadEnded = false
  /** True until the server has said where the output so far ends. */
  #beginsAtEnd = false
  /** Where reading ends before the program does. */
  #readEnd: number | undefined
  readonly #follows: boolean
  #terminal: TerminalSize | undefined
  #isStarted = false
  /** Whether it is known if the process had ended at the start of this session. */
  #knowsStart = false
  /** False until the server has answered the first message on this connection with anything but an error. */
  #isAccepted = false
  #isPinging = false
  #inputEnded = false
  #unsentSignals: ClientMessage[] = []
  #lastError: CarrelApiError | undefined

  constructor(context: Context, options: SessionOptions, follows = true) {
    this.#options = options
    this.#follows = follows
    this.exit = this.#exit.promise
    // The same failure rejects both promises and surfaces in the one that is awaited.
    this.exit.catch(() => {})
    this.#started.promise.catch(() => {})
    this.#connection = new ExecConnection(context, {
      listener: {
        onText: (text) => this.#onText(text),
        onBinary: (frame) => this.#onBinary(frame),
        onPong: (number) => this.#onPong(number),
        isInputPending: () => !this.#stdin.settled,
        onLost: (error) => this.#onLost(error),
        onRestored: () => this.#onRestored(),
        onFailed: (error) => this.#finish({ error }),
      },
      reconnectMs: options.reconnectMs ?? defaultReconnectMs,
      signal: this.#over.signal,
    })
    this.#queue = new OutputQueue((full) => this.#connection.pause(full))
  }

  /** Sends the first message; resolves when the program runs. For `openExecSession` and `attachExecSession`. */
  async begin(first: ExecStart | ExecAttach): Promise<void> {
    const { signal } = this.#options
    const abort = () => this.#finish({ error: signal?.reason })
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort, { once: true })
    this.#over.signal.addEventListener('abort', () => signal?.removeEventListener('abort', abort), { once: true })
    const timeout = setTimeout(() => {
      this.#finish({ error: new CarrelConnectionError(this.#connection.url, `no answer within ${startTimeoutMs} ms`) })
    }, startTimeoutMs)
    try {
      this.#over.signal.throwIfAborted()
      await this.#connection.open()
      this.#sendFirst(first)
      if (first.type === 'start') await this.#started.promise
    } catch (error) {
      this.#finish({ error })
      throw error
    } finally {
      clearTimeout(timeout)
    }
  }

  get processId(): string {
    return this.#processId
  }

  /** The process id inside the sandbox; 0 if the server does not report it. */
  get pid(): number {
    return this.#pid
  }

  /** Resolves when the server has answered the first message. Rejects if it refuses it. */
  get ready(): Promise<void> {
    return this.#started.promise
  }

  /** Whether the process has a terminal; of an attached session once it is `ready`. */
  get hasTerminal(): boolean {
    return this.#hasTerminal
  }

  /** Whether the process had ended before this session attached to it; known once the session is `ready`. */
  get hadEnded(): boolean {
    return this.#hadEnded
  }

  /** The position after the output that has arrived, for attaching again. */
  get cursor(): number {
    return this.#position.cursor
  }

  [Symbol.asyncIterator](): AsyncIterator<ExecOutput> {
    return this.#queue[Symbol.asyncIterator]()
  }

  /** Reads all output into memory and waits for the end. The newest 64 MiB of each channel are kept. */
  result(): Promise<ExecResult> {
    return collectResult(this)
  }

  /** Sends input. Resolves when more can be sent, with false if the program has ended. */
  async write(data: Uint8Array | string): Promise<boolean> {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data
    for (let at = 0; at < bytes.length; at += inputChunkBytes) {
      if (!(await this.#connection.ready())) return false
      const chunk = bytes.subarray(at, at + inputChunkBytes)
      this.#stdin.add(chunk.length)
      this.#connection.send(stdinFrame(chunk))
      await this.#inputRoom()
    }
    return !this.#over.signal.aborted
  }

  /** Closes the program's stdin. */
  end(): void {
    if (this.#inputEnded) return
    this.#inputEnded = true
    this.#send({ type: 'eof' })
  }

  /** Sends a signal such as `SIGINT`; default: to the whole process tree. */
  signal(signal: string, scope: SignalScope = 'tree'): void {
    const message: ClientMessage = { type: 'signal', signal, scope }
    if (this.#connection.isOpen) this.#send(message)
    else this.#unsentSignals.push(message)
  }

  /** Changes the size of the terminal. */
  resize(cols: number, rows: number): void {
    this.#terminal = { cols, rows }
    this.#send({ type: 'resize', cols, rows })
  }

  /**
   * Detaches from the program, which the server ends unless a client attaches to it soon. Resolves when the server has
   * read everything that was sent, or is gone.
   */
  async close(): Promise<void> {
    this.#finish({ error: new CarrelConnectionError(this.#connection.url, 'the session was closed') })
    await this.#connection.closed()
  }

  #sendFirst(message: ExecStart | ExecAttach): void {
    this.#sessionId = message.sessionId
    if (message.type === 'start') {
      this.#terminal = message.tty
      this.#hasTerminal = message.tty !== undefined
      this.#knowsStart = true
    } else {
      this.#processId = message.processId
      this.#position = new OutputPosition(message.cursor)
      this.#beginsAtEnd = message.fromEnd === true
      this.#isStarted = true
    }
    this.#send(message)
  }

  #onText(text: string): void {
    let message
    try {
      message = parseServerMessage(text)
    } catch (cause) {
      const error = new CarrelConnectionError(this.#connection.url, 'the server sent invalid JSON', { cause })
      return this.#finish({ error })
    }
    if (message?.type === 'error') return this.#onError(message)
    this.#accepted()
    if (message?.type === 'cursor') {
      this.#position.mark(message.cursor)
      this.#endReading()
    } else if (message?.type === 'started') this.#onStarted(message)
    else if (message?.type === 'exit') {
      const { exitCode = null, signal = null, reason, truncated = false } = message
      this.#finish({ exit: { exitCode, signal, reason, truncated } })
    }
  }

  #onStarted({ processId, pid = 0, tty, outputEnd }: ServerMessage & { type: 'started' }): void {
    this.#processId = processId
    this.#pid = pid
    this.#hasTerminal = tty ?? this.#hasTerminal
    if (!this.#knowsStart) this.#hadEnded = outputEnd === null
    this.#knowsStart = true
    if (this.#beginsAtEnd && outputEnd) this.#position = new OutputPosition(outputEnd)
    this.#beginsAtEnd = false
    if (this.#follows) return
    this.#readEnd ??= outputEnd ?? undefined
    this.#endReading()
  }

  /** Ends a session that does not follow, once the output so far has arrived. */
  #endReading(): void {
    if (this.#readEnd === undefined || this.#position.cursor < this.#readEnd) return
    this.#queue.end({})
    this.#finish({ error: new CarrelConnectionError(this.#connection.url, 'the process runs, and is not followed') })
  }

  #onBinary(frame: Uint8Array): void {
    this.#accepted()
    const output = parseOutputFrame(frame)
    if (!output) return
    const data = this.#position.accept(output.channel, output.data)
    if (data.length === 0) return
    this.#connection.progressed()
    this.#queue.push({ channel: output.channel, data })
  }

  #accepted(): void {
    this.#isAccepted = true
    this.#isStarted = true
    this.#started.resolve()
  }

  /**
   * Handles an error. As the first answer it refuses the session; later it concerns one message, unless the server then
   * closes the connection.
   */
  #onError({ type: _, ...envelope }: Record<string, unknown>): void {
    const error = new CarrelApiError(0, envelope)
    if (this.#isAccepted) this.#lastError = error
    else if (this.#isStarted && error.retryable) this.#connection.drop()
    else this.#finish({ error })
  }

  #onPong(sentBytes: number): void {
    this.#stdin.confirm(sentBytes)
    if (this.#stdin.settled) this.#isPinging = false
    else this.#connection.ping(this.#stdin.sentBytes)
  }

  #onLost(error: CarrelConnectionError): unknown {
    const reported = this.#lastError
    this.#lastError = undefined
    this.#isPinging = false
    if (reported && !reported.retryable) return reported
    if (!this.#isStarted) return error
    if (!this.#terminal && !this.#stdin.settled) {
      const reason = `the connection broke while input was in transit; process "${this.#processId}" keeps running`
      return new CarrelConnectionError(this.#connection.url, reason, { code: error.code, cause: error })
    }
    if (this.#isAccepted) this.#options.onConnection?.('lost')
    this.#isAccepted = false
    return undefined
  }

  #onRestored(): void {
    this.#position.rewind()
    const cursor = this.#position.cursor
    const fromEnd = this.#beginsAtEnd || undefined
    this.#send({ type: 'attach', processId: this.#processId, cursor, fromEnd, sessionId: this.#sessionId })
    if (this.#terminal) this.#send({ type: 'resize', ...this.#terminal })
    if (this.#inputEnded) this.#send({ type: 'eof' })
    for (const message of this.#unsentSignals.splice(0)) this.#send(message)
    this.#options.onConnection?.('restored')
  }

  async #inputRoom(): Promise<void> {
    if (!this.#connection.canPing) return this.#connection.drained(maxBufferedBytes)
    if (!this.#isPinging) this.#connection.ping(this.#stdin.sentBytes)
    this.#isPinging = true
    await this.#stdin.room()
  }

  #send(message: ClientMessage): void {
    this.#connection.send(JSON.stringify(message))
  }

  #finish(outcome: { exit: ExecExit } | { error: unknown }): void {
    if (this.#over.signal.aborted) return
    if ('exit' in outcome) {
      this.#queue.end({})
      this.#exit.resolve(outcome.exit)
      this.#over.abort(new CarrelConnectionError(this.#connection.url, 'the session is over'))
    } else {
      this.#queue.end(outcome)
      this.#exit.reject(outcome.error)
      this.#started.reject(outcome.error)
      this.#over.abort(outcome.error)
    }
    this.#stdin.release()
  }
}
