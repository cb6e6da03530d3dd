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

interface Pending {
  op: Request['op']
  sentAtMs: number
  resolve: (value: unknown) => void
  reject: (error: CarrelError) => void
  late: ((value: unknown) => void) | undefined
}

interface Handlers {
  onEvent: (event: MonitorEvent, from: MonitorClient) => void
  onLost: (lost: MonitorClient) => void
  /** Called every second while the monitor does not answer, and once when it answers again. */
  onSilence: (client: MonitorClient) => void
}

interface Program {
  scratchDirectory: string
  logPath: string
}

export interface RequestOptions<T> {
  /**
   * Called with the answer to a request that was abandoned; with undefined when it failed or will never be answered.
   */
  late?: (value: T | undefined) => void
}

/** The monitor does not answer. */
export class MonitorSilence extends CarrelError {
  /** True when the request was sent before it was abandoned: the monitor may still execute it. */
  readonly wasSent: boolean

  constructor(wasSent: boolean) {
    super('unavailable', 'The process monitor does not answer')
    this.wasSent = wasSent
  }
}

/**
 * The server's connection to a monitor. Pings it every second. While the monitor does not answer, new requests are
 * refused at once, and pending ones after a time limit.
 */
export class MonitorClient {
  readonly #socket: Socket
  readonly #handlers: Handlers
  readonly #pending = new Map<number, Pending>()
  readonly #abandoned = new Map<number, Pending>()
  readonly #pings: NodeJS.Timeout
  #seq = 0
  #closing = false
  /**
   * Ticks of the timer since the last message. Ticks, and not time, as a server that was itself blocked has not waited.
   */
  #quietTicks = 0
  #isSilent = false

  private constructor(socket: Socket, handlers: Handlers) {
    this.#socket = socket
    this.#handlers = handlers
    this.#pings = setInterval(() => this.#check(), limits.monitorPingMs).unref()
    onLines(socket, (message) => this.#receive(message as Message))
    socket.on('error', () => {})
    socket.on('close', () => {
      clearInterval(this.#pings)
      const ended = new CarrelError('unavailable', 'The process monitor ended')
      for (const { reject } of this.#pending.values()) reject(ended)
      for (const { late } of this.#abandoned.values()) late?.(undefined)
      this.#pending.clear()
      this.#abandoned.clear()
      if (!this.#closing) handlers.onLost(this)
    })
  }

  /** Connects to the monitor that listens on a socket. Returns undefined when there is none. */
  static async connect(socketPath: string, handlers: Handlers): Promise<MonitorClient | undefined> {
    const socket = await tryConnect(socketPath)
    return socket && new MonitorClient(socket, handlers)
  }

  /**
   * Starts a monitor that outlives this server. Checks that the answer is from the new monitor, as one that is ending
   * may still accept the connection. Kills a monitor that does not answer in time, as there would be two otherwise.
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

  /** The monitor's process id; undefined when it cannot be determined. */
  get pid(): number | undefined {
    return peerPid(this.#socket)
  }

  /** True while the monitor does not answer. */
  get isSilent(): boolean {
    return this.#isSilent
  }

  /**
   * Returns the monitor's greeting: null from an old monitor that does not know the request, undefined when the monitor
   * ends instead. Rejects with a `MonitorSilence` when it does not answer.
   */
  async hello(): Promise<HelloAnswer | undefined> {
    const answered = this.#send<HelloAnswer>({ op: 'hello' }).catch(() => undefined)
    const silence = Symbol('silence')
    const first = await Promise.race([answered, delay(limits.monitorGreetingMs, silence, { ref: false })])
    if (first === silence) throw new MonitorSilence(true)
    return first
  }

  /** Rejects with a `MonitorSilence` when the monitor does not answer; `late` then gets the outcome. */
  request<T>(request: Request, options: RequestOptions<T> = {}): Promise<T> {
    // A request that frees or ends something is useful even if the monitor reads it later.
    const canWait = request.op === 'release' || request.op === 'kill' || request.op === 'stopping'
    if (this.#isSilent && !(canWait && this.#socket.writableLength < maxUnreadBytes))
      return Promise.reject(new MonitorSilence(false))
    return this.#send(request, options)
  }

  #send<T>(request: Request, { late }: RequestOptions<T> = {}): Promise<T> {
    const seq = ++this.#seq
    return new Promise<T>((resolve, reject) => {
      if (!this.#socket.writable) return reject(new CarrelError('unavailable', 'The process monitor is not connected'))
      this.#pending.set(seq, {
        op: request.op,
        sentAtMs: Date.now(),
        resolve: resolve as (value: unknown) => void,
        reject,
        late: late as Pending['late'],
      })
      this.#socket.write(`${JSON.stringify({ ...request, seq })}\n`)
    })
  }

  /** Closes the connection. The monitor continues to run. */
  close(): void {
    this.#closing = true
    this.#socket.destroy()
  }

  /** Ends the monitor; resolves when it has ended. */
  async quit(): Promise<void> {
    this.#closing = true
    const closed = once(this.#socket, 'close')
    await this.#send({ op: 'quit' }).catch(() => {})
    await Promise.race([closed, delay(maxQuitMs, undefined, { ref: false })])
    this.#socket.destroy()
  }

  #receive(message: Message): void {
    this.#quietTicks = 0
    if (this.#isSilent) {
      this.#isSilent = false
      this.#handlers.onSilence(this)
    }
    if ('event' in message) return this.#handlers.onEvent(message, this)
    this.#settle(message)
  }

  #settle(answer: Answer): void {
    const pending = this.#pending.get(answer.seq)
    this.#pending.delete(answer.seq)
    if (!pending) {
      const abandoned = this.#abandoned.get(answer.seq)
      this.#abandoned.delete(answer.seq)
      return abandoned?.late?.('ok' in answer ? answer.ok : undefined)
    }
    if ('failure' in answer) pending.reject(new CarrelError(answer.failure.code, answer.failure.message))
    else pending.resolve(answer.ok)
  }

  #check(): void {
    this.#quietTicks++
    if (this.#quietTicks === 1) void this.#send({ op: 'hello' }).catch(() => {})
    if (this.#quietTicks <= limits.monitorSilentPings) return
    const { pid } = this
    // The monitor may have been stopped. As it is the peer of an open connection, its process id cannot be reused.
    if (pid !== undefined) sendSignal(pid, 'SIGCONT')
    this.#isSilent = true
    this.#handlers.onSilence(this)
    this.#abandonPending()
  }

  #abandonPending(): void {
    for (const [seq, pending] of this.#pending) {
      if (pending.op === 'hello') continue
      if (Date.now() - pending.sentAtMs < limits.monitorTimeoutMs) continue
      this.#pending.delete(seq)
      if (pending.late) this.#abandoned.set(seq, pending)
      pending.reject(new MonitorSilence(true))
    }
  }
}

function startMonitor(socketPath: string, { scratchDirectory, logPath }: Program): ChildProcess {
  const log = openLog(logPath)
  const program = fileURLToPath(new URL('../monitor/main.ts', import.meta.url))
  const args = [boundingSet(), process.execPath, '--max-semi-space-size=1', program, socketPath, scratchDirectory]
  const monitor = spawn('setpriv', args, { detached: true, stdio: ['ignore', log, log], cwd: '/' })
  closeSync(log)
  // A monitor that could not be started never answers.
  monitor.on('error', () => {}).unref()
  return monitor
}

/** Opens the log, or `/dev/null` when the disk has no room for a new file. */
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
/** Limit on messages that an unresponsive monitor has not read: about ten thousand. */
const maxUnreadBytes = 1024 * 1024
