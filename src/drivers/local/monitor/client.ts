import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { openSync, closeSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import { CarrelError } from '../../../errors.ts'
import { boundingSet } from './bounding-set.ts'
import { onLines } from './lines.ts'
import type { Answer, HelloAnswer, Message, MonitorEvent, Request } from './protocol.ts'

interface Waiting {
  resolve: (value: unknown) => void
  reject: (error: CarrelError) => void
}

interface Handlers {
  onEvent: (event: MonitorEvent, from: MonitorClient) => void
  onLost: (lost: MonitorClient) => void
}

interface Program {
  scratchDirectory: string
  logPath: string
}

/** The server's line to a monitor. */
export class MonitorClient {
  readonly #socket: Socket
  readonly #waiting = new Map<number, Waiting>()
  #seq = 0
  #closing = false

  private constructor(socket: Socket, handlers: Handlers) {
    this.#socket = socket
    onLines(socket, (message) => this.#receive(message as Message, handlers.onEvent))
    socket.on('error', () => {})
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values())
        reject(new CarrelError('unavailable', 'The process monitor ended'))
      this.#waiting.clear()
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
      const answer = await client?.hello()
      if (client && answer !== undefined && (answer?.pid ?? started.pid) === started.pid) return client
      client?.close()
      await delay(pollMs)
    }
    started.kill('SIGKILL')
    throw new CarrelError('unavailable', `Cannot start the process monitor: see "${program.logPath}"`)
  }

  /** undefined when it ends instead of answering, null of one from before there was an answer. */
  hello(): Promise<HelloAnswer | undefined> {
    return this.request<HelloAnswer>({ op: 'hello' }).catch(() => undefined)
  }

  request<T>(request: Request): Promise<T> {
    const seq = ++this.#seq
    return new Promise<T>((resolve, reject) => {
      if (!this.#socket.writable) return reject(new CarrelError('unavailable', 'The process monitor is not connected'))
      this.#waiting.set(seq, { resolve: resolve as (value: unknown) => void, reject })
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
    await this.request({ op: 'quit' }).catch(() => {})
    await closed
  }

  #receive(message: Message, onEvent: Handlers['onEvent']): void {
    if ('event' in message) return onEvent(message, this)
    this.#settle(message)
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.seq)
    this.#waiting.delete(answer.seq)
    if ('failure' in answer) waiting?.reject(new CarrelError(answer.failure.code, answer.failure.message))
    else waiting?.resolve(answer.ok)
  }
}

function startMonitor(socketPath: string, { scratchDirectory, logPath }: Program): ChildProcess {
  const log = openLog(logPath)
  const program = fileURLToPath(new URL('main.ts', import.meta.url))
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
