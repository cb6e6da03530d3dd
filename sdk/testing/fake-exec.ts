import type { IncomingMessage } from 'node:http'
import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'
import type { ClientMessage, ExecStart } from '../exec-messages.ts'
import { FakeFailure } from './fake-failure.ts'
import type { FakeServer } from './fake-server.ts'
import type { FakeProcess } from './fake-process.ts'

const channelNumber = { stdout: 1, stderr: 2 }

/** Serves `GET /v1/exec`: live input and output of one process over a WebSocket. */
export function serveExec(server: FakeServer): void {
  const webSockets = new WebSocketServer({ noServer: true })
  server.http.on('upgrade', (request: IncomingMessage, socket, head) => {
    const refusal = server.refusalOf(request.headers.authorization) ?? server.takeFault('/v1/exec')
    if (refusal instanceof FakeFailure) {
      const body = JSON.stringify(refusal.envelope)
      const retryAfter = refusal.envelope['retryAfter'] === undefined ? '' : `Retry-After: 0\r\n`
      socket.end(
        `HTTP/1.1 ${refusal.status} No\r\nContent-Type: application/json\r\n${retryAfter}` +
          `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      )
      return
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => new ExecLink(server, webSocket))
  })
}

/** One connection. */
class ExecLink {
  readonly #server: FakeServer
  readonly #socket: WebSocket
  #process: FakeProcess | undefined
  #cursor = 0
  #isSending = false
  /** Writes input one message at a time, and pauses the socket while the program accepts no more. */
  #input: Promise<void> = Promise.resolve()

  constructor(server: FakeServer, socket: WebSocket) {
    this.#server = server
    this.#socket = socket
    server.execConnections.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => {
      server.execConnections.delete(socket)
      this.#process?.off('grew', this.#pump).off('exit', this.#pump)
    })
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) return this.#onInput(data)
      const message = JSON.parse(data.toString()) as ClientMessage
      server.execMessages.push(message)
      server.emit('exec-message', message)
      this.#onMessage(message)
    })
  }

  #onInput(data: Buffer): void {
    if (data[0] !== 0) return this.#fail(new FakeFailure(400, 'INVALID_REQUEST', `No channel ${data[0]}`))
    const bytes = data.subarray(1)
    this.#socket.pause()
    this.#input = this.#input
      .then(() => this.#process?.write(bytes))
      .then(() => {
        this.#server.emit('exec-input', bytes)
        this.#socket.resume()
      })
  }

  #onMessage(message: ClientMessage): void {
    if (message.type === 'start') this.#onStart(message)
    else if (message.type === 'attach') this.#onAttach(message.processId, message.fromEnd ? undefined : message.cursor)
    else if (message.type === 'signal') this.#process?.kill(message.signal as NodeJS.Signals, message.scope ?? 'tree')
    else if (message.type === 'eof') void this.#input.then(() => this.#process?.endInput())
  }

  #onStart(message: ExecStart): void {
    const fault = this.#server.takeFault('start')
    if (fault instanceof FakeFailure) return this.#fail(fault)
    if (fault === 'silence') return
    if (fault) return this.#socket.terminate()
    const argv = message.argv ?? this.#server.argvOf(message.command ?? '', message.language ?? 'shell')
    const { cwd, stdin, timeoutMs } = message
    const env = message.env as Record<string, string> | undefined
    this.#follow(this.#server.spawn({ argv, env, cwd, stdin, timeoutMs: timeoutMs || undefined }), 0)
  }

  #onAttach(processId: string, cursor: number | undefined): void {
    const process = this.#server.processes.get(processId)
    if (process)
      this.#follow(process, cursor ?? (process.exit ? 0 : process.size), {
        outputEnd: process.exit ? null : process.size,
        tty: process.hasTerminal,
      })
    else this.#fail(new FakeFailure(404, 'NOT_FOUND', `Cannot attach to process "${processId}": it does not exist`))
  }

  #follow(process: FakeProcess, cursor: number, more: object = {}): void {
    this.#process = process
    this.#cursor = cursor
    this.#send({ type: 'started', processId: process.processId, pid: process.pid, ...more })
    process.on('grew', this.#pump).on('exit', this.#pump)
    this.#pump()
  }

  #pump = (): void => void this.#sendOutput()

  async #sendOutput(): Promise<void> {
    const process = this.#process
    if (!process || this.#isSending) return
    this.#isSending = true
    while (this.#cursor < process.size && this.#socket.readyState === this.#socket.OPEN) {
      for (const { channel, data } of process.read(this.#cursor)) {
        for (const part of this.#parts(data)) {
          await this.#sendBinary(Buffer.concat([Buffer.of(channelNumber[channel]), part]))
          this.#cursor += part.length
          if (this.#server.takeCut(part.length)) return this.#socket.terminate()
        }
      }
      this.#send({ type: 'cursor', cursor: this.#cursor })
    }
    this.#isSending = false
    if (process.exit && this.#cursor >= process.size) {
      this.#send({ type: 'exit', ...process.exit })
      this.#socket.close(1000)
    }
  }

  #sendBinary(data: Buffer): Promise<void> {
    return new Promise((resolve) => this.#socket.send(data, () => resolve()))
  }

  #send(message: object): void {
    this.#socket.send(JSON.stringify(message))
  }

  /** Sends output in messages of uneven sizes, which differ for each connection. */
  *#parts(data: Buffer): Generator<Buffer> {
    const maxBytes = this.#server.maxExecMessageBytes
    while (data.length > 0) {
      const length = Math.min(data.length, Math.ceil(Math.random() * maxBytes))
      yield data.subarray(0, length)
      data = data.subarray(length)
    }
  }

  #fail(failure: FakeFailure): void {
    this.#send({ type: 'error', ...failure.envelope })
    this.#socket.close(1000)
  }
}
