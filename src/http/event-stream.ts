import { once } from 'node:events'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { limits } from '../config/limits.ts'
import { unauthenticated } from '../engine/identity/accounts/tokens.ts'
import type { Engine } from '../engine/engine.ts'
import type { CarrelError } from '../errors.ts'
import { Slices } from '../slices.ts'

interface Options {
  engine: Pick<Engine, 'liveConnections'>
  request: FastifyRequest
  reply: FastifyReply
  /** Puts an error into the surface's envelope. */
  errorBody: (error: CarrelError, requestId: string) => Record<string, unknown>
}

/**
 * A response that is a stream of server-sent events. Waits for a slow client, and disconnects one that reads nothing
 * for `limits.stalledClientMs`. `signal` aborts when the client is gone, or has lost its access, which an `error` event
 * reports first.
 */
export class EventStream {
  readonly signal: AbortSignal
  readonly #reply: FastifyReply
  readonly #gone = new AbortController()
  readonly #keepAlive: NodeJS.Timeout
  readonly #slices: Slices

  constructor({ engine, request, reply, errorBody }: Options) {
    this.#reply = reply
    this.#slices = new Slices(request.caller.accountId)
    this.signal = this.#gone.signal
    reply.hijack()
    const { raw } = reply
    for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value)
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    const unregister = engine.liveConnections.add(request.caller, (reason) => {
      if (!this.signal.aborted) raw.write(eventText('error', errorBody(unauthenticated(reason), request.id)))
      this.#gone.abort()
      this.end()
    })
    raw.on('close', () => {
      unregister()
      this.#gone.abort()
    })
    raw.on('error', () => this.#gone.abort())
    if (raw.destroyed) {
      unregister()
      this.#gone.abort()
    }
    raw.flushHeaders()
    this.#keepAlive = setInterval(() => {
      if (raw.writableLength === 0) raw.write(': keep-alive\n\n')
    }, limits.streamKeepAliveMs)
  }

  async send(type: string, data: Record<string, unknown>, id?: number): Promise<void> {
    const { raw } = this.#reply
    if (this.signal.aborted) return
    const isTaken = raw.write((id === undefined ? '' : `id: ${id}\n`) + eventText(type, data))
    // A fast client that accepts one small event after another would otherwise keep the event loop to itself.
    if (isTaken) return this.#slices.isOver ? this.#slices.next() : undefined
    const timeout = AbortSignal.timeout(limits.stalledClientMs)
    await once(raw, 'drain', { signal: AbortSignal.any([this.signal, timeout]) }).catch(() => {
      if (timeout.aborted) raw.destroy()
    })
  }

  end(): void {
    clearInterval(this.#keepAlive)
    this.#reply.raw.end()
  }
}

function eventText(type: string, data: Record<string, unknown>): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`
}
