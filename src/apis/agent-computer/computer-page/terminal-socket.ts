import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Engine } from '../../../engine/engine.ts'
import type { Terminal } from '../../../engine/types.ts'
import { asCarrelError, CarrelError } from '../../../errors.ts'
import type { ClientSocket } from '../../../http/sockets/client-socket.ts'
import { InputQueue } from '../../../http/sockets/input-queue.ts'
import { processPieces } from '../../../http/sockets/process-pieces.ts'
import { SendQueue } from '../../../http/sockets/send-queue.ts'
import { terminalSize } from '../../../http/sockets/terminal-fields.ts'
import { envelope } from '../errors.ts'

interface Options {
  engine: Engine
  socket: ClientSocket
  terminal: Terminal
}

/** A client of a terminal: output and input are binary messages, everything else is JSON. */
export class TerminalSocket {
  readonly #engine: Engine
  readonly #socket: ClientSocket
  readonly #terminal: Terminal
  readonly #sendQueue: SendQueue
  readonly #input: InputQueue
  readonly #left = new AbortController()

  constructor({ engine, socket, terminal }: Options) {
    this.#engine = engine
    this.#socket = socket
    this.#terminal = terminal
    this.#sendQueue = new SendQueue(socket)
    this.#input = new InputQueue(socket, (error) => {
      // Input after the end of a terminal is not an error.
      if (!terminal.process.exit) return this.#sendError(error)
    })
    socket.on('message', (data: Buffer, isBinary: boolean) => this.#receive(data, isBinary))
    socket.once('close', () => {
      this.#left.abort()
      // A program that reads nothing would keep the input of every client that has left.
      this.#input.drop()
    })
  }

  /** Sends the output that follows an offset, until the terminal ends or the client leaves. */
  async run(after: number): Promise<void> {
    const { process, output, size } = this.#terminal
    const leave = this.#engine.unreadOutput.connect(process)
    try {
      const { offset, cursor, skipBytes, end } = await output.from(after)
      await this.#send({ type: 'ready', offset, end, ...size })
      await this.#sendOutput(cursor, skipBytes)
      if (this.#left.signal.aborted) return
      const { exitCode, signal } = await process.wait()
      await this.#send({ type: 'exit', code: exitCode, signal })
      this.#socket.close(1000)
    } finally {
      leave()
    }
  }

  async #sendOutput(cursor: number, skipBytes: number): Promise<void> {
    const { readBytes, maxBufferedBytes } = this.#socket
    const maxBytes = Math.min(readBytes, maxBufferedBytes)
    const options = { cursor, signal: this.#left.signal, readBytes, maxBytes }
    let skipped = 0
    for await (const { data, truncated } of processPieces(this.#terminal.process, options)) {
      // What would have been left out is not kept any more.
      if (truncated) skipped = skipBytes
      const fresh = data.flatMap((part) => {
        const skips = Math.min(part.length, skipBytes - skipped)
        skipped += skips
        return skips < part.length ? [part.subarray(skips)] : []
      })
      if (fresh.length > 0) await this.#sendQueue.sendBytes(undefined, fresh)
    }
  }

  #receive(data: Buffer, isBinary: boolean): void {
    const { process } = this.#terminal
    if (isBinary) return this.#input.take(data.length, () => process.write(data))
    this.#input.take(data.length, async () => {
      const { cols, rows } = resizeOf(data)
      this.#terminal.size = { cols, rows }
      await process.resize(cols, rows)
    })
  }

  #send(message: Record<string, unknown>): Promise<void> {
    return this.#sendQueue.send(() => JSON.stringify(message))
  }

  #sendError(cause: unknown): Promise<void> {
    const { code, message } = asCarrelError(cause)
    return this.#send({ type: 'error', code: envelope.codeOf(code), message })
  }
}

const resize = Compile(Type.Object({ type: Type.Literal('resize'), ...terminalSize.properties }))

function resizeOf(data: Buffer): { cols: number; rows: number } {
  const message = data.length > maxResizeBytes ? undefined : parse(data)
  if (resize.Check(message)) return message
  throw new CarrelError('invalid_request', 'Cannot read the message: it is no "resize" with columns and rows')
}

function parse(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'))
  } catch {
    return undefined
  }
}

const maxResizeBytes = 1024
