import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { openSync, closeSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import { limits } from '../../../config/limits.ts'
import { CarrelError } from '../../../errors.ts'
import { peerPid } from '../system/peer-pid.ts'
import { sendSignal } from '../system/signal.ts'
import { boundingSet } from '../monitor/bounding-set.ts'
import { onLines } from '../monitor/lines.ts'
import type { Answer, HelloAnswer, Message, MonitorEvent, Request } from '../monitor/protocol.ts'

interface Waiting {
  op: Request['op']
  askedAtMs: number
  resolve: (value: unknown) => void
  reject: (error: CarrelError) => void
  late: ((value: unknown) => void) | undefined
}

interface Handlers {
  onEvent: (event: MonitorEvent, from: MonitorClient) => void
  onLost: (lost: MonitorClient) => void
  /** It answers no more, told every second; or again. */
  onSilence: (client: MonitorClient) => void
}

interface Program {
  scratchDirectory: string
  logPath: string
}

export interface RequestOptions<T> {
  /** Called when the request was given up and is answered all the same, with undefined when it failed or never will be. */
  late?: (value: T | undefined) => void
}

/** The monitor answers nobody. */
export class MonitorSilence extends CarrelError {
  /** True for a request that was sent before it was given up: it may be heard yet. */
  readonly wasSent: boolean

  constructor(wasSent: boolean) {
    super('unavailable', 'The process monitor does not answer')
    this.wasSent = wasSent
  }
}

/**
 * The server's line to a monitor. It is asked every second whether it is there: while it is not, nobody waits for it for
 * long, and what it is asked is refused at once.
 */
export class MonitorClient {
  readonly #socket: Socket
  readonly #handlers: Handlers
  readonly #waiting = new Map<number, Waiting>()
  readonly #givenUp = new Map<number, Waiting>()
  readonly #pings: NodeJS.Timeout
  #seq = 0
  #closing = false
  /** Turns of the timer since it last said something: a server that was itself held up has not waited meanwhile. */
  #quietTurns = 0
  #isSilent = false

  private constructor(socket: Socket, handlers: Handlers) {
    this.#socket = socket
    this.#handlers = handlers
    this.#pings = setInterval(() => this.#look(), limits.monitorPingMs).unref()
    onLines(socket, (message) => this.#receive(message as Message))
    socket.on('error', () => {})
    socket.on('close', () => {
      clearInterval(this.#pings)
      const ended = new CarrelError('unavailable', 'The process monitor ended')
      for (const { reject } of this.#waiting.values()) reject(ended)
      for (const { late } of this.#givenUp.values()) late?.(undefined)
      this.#waiting.clear()
      this.#givenUp.clear()
      if (!this.#closing) handlers.onLost(this)
    })
  }

  /** Connects to the monitor that listens there; undefined when none does. */
  static async connect(socketPath: string, handlers: Handlers): Promise<MonitorClient | undefined> {
    const socket = await tryConnect(socketPath)
    return socket && new MonitorClient(socket, handlers)
  }

  /**
   * Starts a monitor that will outlive this server. One that ends in this moment may still take the connection; and of one that comes up
   * too late nothing is left, or there would be two.
   */
  static async start(socketPath: string, program: Program, handlers: Handlers): Promise<MonitorClient> {
    const started = startMonitor(socketPath, program)
    for (let waitedMs = 0; waitedMs < maxStartMs && started.exitCode === null; waitedMs += pollMs) {
      const client = await MonitorClient.connect(socketPath, handlers)
      const answer = await client?.hello().catch(() => undefined)
      if (client && answer !== undefined && (answer?.pid ?? started.pid) === started.pid) return client
      client?.close()
      await delay(pollMs)
    }
    started.kill('SIGKILL')
    throw new CarrelError('unavailable', `Cannot start the process monitor: see "${program.logPath}"`)
  }

  /** Of its process; undefined where that cannot be told. */
  get pid(): number | undefined {
    return peerPid(this.#socket)
  }

  /** True while it answers nobody. */
  get isSilent(): boolean {
    return this.#isSilent
  }

  /**
   * undefined when it ends instead of answering, null of one from before there was an answer. Rejects with a
   * `MonitorSilence` when it does neither.
   */
  async hello(): Promise<HelloAnswer | undefined> {
    const answered = this.#ask<HelloAnswer>({ op: 'hello' }).catch(() => undefined)
    const silence = Symbol('silence')
    const first = await Promise.race([answered, delay(limits.monitorGreetingMs, silence, { ref: false })])
    if (first === silence) throw new MonitorSilence(true)
    return first
  }

  /** Rejects with a `MonitorSilence` when the monitor does not answer, and `late` tells what becomes of it then. */
  request<T>(request: Request, options: RequestOptions<T> = {}): Promise<T> {
    // What frees or ends something it does when it hears of it.
    const canWait = request.op === 'release' || request.op === 'kill' || request.op === 'stopping'
    if (this.#isSilent && !(canWait && this.#socket.writableLength < maxUnheardBytes))
      return Promise.reject(new MonitorSilence(false))
    return this.#ask(request, options)
  }

  #ask<T>(request: Request, { late }: RequestOptions<T> = {}): Promise<T> {
    const seq = ++this.#seq
    return new Promise<T>((resolve, reject) => {
      if (!this.#socket.writable) return reject(new CarrelError('unavailable', 'The process monitor is not connected'))
      this.#waiting.set(seq, {
        op: request.op,
        askedAtMs: Date.now(),
        resolve: resolve as (value: unknown) => void,
        reject,
        late: late as Waiting['late'],
      })
      this.#socket.write(`${JSON.stringify({ ...request, seq })}\n`)
    })
  }

  /** Lets go of it; it goes on. */
  close(): void {
    this.#closing = true
    this.#socket.destroy()
  }

  /** Ends the monitor; resolves when it has ended. */
  async quit(): Promise<void> {
    this.#closing = true
    const closed = once(this.#socket, 'close')
    await this.#ask({ op: 'quit' }).catch(() => {})
    await Promise.race([closed, delay(maxQuitMs, undefined, { ref: false })])
    this.#socket.destroy()
  }

  #receive(message: Message): void {
    this.#quietTurns = 0
    if (this.#isSilent) {
      this.#isSilent = false
      this.#handlers.onSilence(this)
    }
    if ('event' in message) return this.#handlers.onEvent(message, this)
    this.#settle(message)
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.seq)
    this.#waiting.delete(answer.seq)
    if (!waiting) {
      const givenUp = this.#givenUp.get(answer.seq)
      this.#givenUp.delete(answer.seq)
      return givenUp?.late?.('ok' in answer ? answer.ok : undefined)
    }
    if ('failure' in answer) waiting.reject(new CarrelError(answer.failure.code, answer.failure.message))
    else waiting.resolve(answer.ok)
  }

  #look(): void {
    this.#quietTurns++
    if (this.#quietTurns === 1) void this.#ask({ op: 'hello' }).catch(() => {})
    if (this.#quietTurns <= limits.monitorSilentPings) return
    const { pid } = this
    // Somebody may have stopped it. It is who is at the other end of this connection, so the number is nobody else's.
    if (pid !== undefined) sendSignal(pid, 'SIGCONT')
    this.#isSilent = true
    this.#handlers.onSilence(this)
    this.#giveUp()
  }

  #giveUp(): void {
    for (const [seq, waiting] of this.#waiting) {
      if (waiting.op === 'hello') continue
      if (Date.now() - waiting.askedAtMs < limits.monitorTimeoutMs) continue
      this.#waiting.delete(seq)
      if (waiting.late) this.#givenUp.set(seq, waiting)
      waiting.reject(new MonitorSilence(true))
    }
  }
}

function startMonitor(socketPath: string, { scratchDirectory, logPath }: Program): ChildProcess {
  const log = openLog(logPath)
  const program = fileURLToPath(new URL('../monitor/main.ts', import.meta.url))
  const args = [boundingSet(), process.execPath, '--max-semi-space-size=1', program, socketPath, scratchDirectory]
  const monitor = spawn('setpriv', args, { detached: true, stdio: ['ignore', log, log], cwd: '/' })
  closeSync(log)
  // One that could not be started is one that never answers.
  monitor.on('error', () => {}).unref()
  return monitor
}

/** A disk that is full has no room for a new one. */
function openLog(path: string): number {
  try {
    return openSync(path, 'a', 0o600)
  } catch {
    return openSync('/dev/null', 'a')
  }
}

function tryConnect(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(socket))
    socket.once('error', () => resolve(undefined))
  })
}

const pollMs = 20
const maxStartMs = 10_000
const maxQuitMs = 2_000
/** What waits for a silent monitor: some ten thousand messages. */
const maxUnheardBytes = 1024 * 1024
