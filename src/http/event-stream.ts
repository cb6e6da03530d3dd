import { once } from 'node:events'
import type { FastifyReply } from 'fastify'
import { limits } from '../config/limits.ts'

/**
 * A stream of server-sent events as the answer of a request. Waits for a slow client, and gives it up when it takes
 * nothing for a minute. `signal` aborts when the client is gone.
 */
export class EventStream {
  readonly signal: AbortSignal
  readonly #reply: FastifyReply
  readonly #gone = new AbortController()
  readonly #keepAlive: NodeJS.Timeout

  constructor(reply: FastifyReply) {
    this.#reply = reply
    this.signal = this.#gone.signal
    reply.hijack()
    const { raw } = reply
    for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value)
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    raw.on('close', () => this.#gone.abort())
    raw.on('error', () => this.#gone.abort())
    if (raw.destroyed) this.#gone.abort()
    raw.flushHeaders()
    this.#keepAlive = setInterval(() => {
      if (raw.writableLength === 0) raw.write(': keep-alive\n\n')
    }, limits.streamKeepAliveMs)
  }

  async send(type: string, data: Record<string, unknown>, id?: number): Promise<void> {
    const { raw } = this.#reply
    if (this.signal.aborted) return
    const text = `${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`
    if (raw.write(text)) return
    const patience = AbortSignal.timeout(limits.stalledClientMs)
    await once(raw, 'drain', { signal: AbortSignal.any([this.signal, patience]) }).catch(() => {
      if (patience.aborted) raw.destroy()
    })
  }

  end(): void {
    clearInterval(this.#keepAlive)
    this.#reply.raw.end()
  }
}
