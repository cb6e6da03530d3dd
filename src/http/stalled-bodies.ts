import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'

interface Watched {
  cut: () => void
  bytesRead: number
  sinceMs: number
  stallMs: number
}

/**
 * Cuts requests whose body has stopped arriving: those from which no byte arrived for `stallMs`, or what `watch` is
 * given instead, plus at most a quarter of the former. The total time is not limited, and time in which the server itself
 * does not read does not count.
 */
export class StalledBodies {
  readonly #stallMs: number
  readonly #open = new Map<IncomingMessage, Watched>()
  readonly #timer: NodeJS.Timeout

  constructor(stallMs: number) {
    this.#stallMs = stallMs
    this.#timer = setInterval(() => this.#check(), stallMs / 4).unref()
  }

  watch(request: IncomingMessage, cut: () => void, stallMs = this.#stallMs): void {
    // An inner request, such as for a WebSocket message, does not arrive over a connection.
    if (request.complete || !(request.socket instanceof Socket)) return
    this.#open.set(request, { cut, bytesRead: request.socket.bytesRead, sinceMs: performance.now(), stallMs })
    request.once('close', () => this.#open.delete(request))
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #check(): void {
    const now = performance.now()
    for (const [request, watched] of this.#open) {
      const { bytesRead } = request.socket
      // An async iterator of the body listens to `readable`, which stops the flow.
      const isRead = request.readableFlowing === true || request.listenerCount('readable') > 0
      const waitsForClient = isRead && request.readableLength === 0
      if (request.complete) this.#open.delete(request)
      else if (bytesRead !== watched.bytesRead || !waitsForClient)
        this.#open.set(request, { ...watched, bytesRead, sinceMs: now })
      else if (now - watched.sinceMs >= watched.stallMs) {
        this.#open.delete(request)
        watched.cut()
      }
    }
  }
}
