import type { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { limits } from '../../config/limits.ts'
import type { Engine } from '../../engine/engine.ts'
import { findExposed } from '../../engine/ports/find-exposed.ts'
import { asCarrelError, CarrelError, isOutOfDescriptors } from '../../errors.ts'
import type { StalledBodies } from '../stalled-bodies.ts'
import { cutStalledConnection } from '../stalled-clients.ts'
import { answerPage, rawAnswer } from './answer-page.ts'
import { forwardRequest } from './forward-request.ts'
import { forwardSocket } from './forward-socket.ts'
import type { PreviewTarget } from './preview-name.ts'
import { Upstreams } from './upstreams.ts'

/**
 * Hands HTTP requests and WebSockets over to the server behind a port of a computer. Both directions are streamed. An
 * open request is use of the computer; a request to one that does not run never starts it.
 */
export class PreviewProxy {
  readonly #engine: Engine
  readonly #upstreams: Upstreams
  readonly #bodies: StalledBodies

  constructor(engine: Engine, bodies: StalledBodies) {
    this.#engine = engine
    this.#bodies = bodies
    this.#upstreams = new Upstreams((id, port, onRead) => engine.driver.dial(id, port, onRead))
  }

  async handle(target: PreviewTarget, request: IncomingMessage, response: ServerResponse): Promise<void> {
    let done: (() => void) | undefined
    try {
      await findExposed(this.#engine, target.computerId, target.port)
      if (request.socket.destroyed) return
      done = this.#engine.activity.begin(target.computerId)
      this.#bodies.watch(request, () => {
        const error = new CarrelError('request_timeout', 'Cannot send the request on: its body has stopped coming')
        if (!response.headersSent) answerPage(request, response, error)
        request.socket.destroySoon()
      })
      const { ownTokens } = this.#engine
      await forwardRequest({ upstreams: this.#upstreams, target, request, response, ownTokens })
    } catch (error) {
      if (response.destroyed || response.headersSent) request.socket.destroy()
      else answerPage(request, response, this.#known(error))
    } finally {
      done?.()
    }
  }

  async upgrade(target: PreviewTarget, request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    client.on('error', () => {})
    try {
      await findExposed(this.#engine, target.computerId, target.port)
      const upstream = await this.#engine.driver.dial(target.computerId, target.port)
      if (client.destroyed) return void upstream.destroy()
      client.once('close', this.#engine.activity.begin(target.computerId))
      if (client instanceof Socket) cutStalledConnection(client, limits.stalledClientMs)
      await forwardSocket({ connection: upstream, request, client, head, ownTokens: this.#engine.ownTokens })
    } catch (error) {
      client.end(rawAnswer(request, this.#known(error)))
    }
  }

  #known(error: unknown): CarrelError {
    if (error instanceof CarrelError || isOutOfDescriptors(error)) return asCarrelError(error)
    this.#engine.log.debug({ err: error }, 'a preview failed')
    return new CarrelError(
      'upstream_unreachable',
      'Cannot open the preview: the server behind it gave no valid answer',
      {
        cause: error,
      },
    )
  }
}
