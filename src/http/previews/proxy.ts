import type { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { limits } from '../../config/limits.ts'
import type { Lease } from '../../engine/budgets/descriptor-budget.ts'
import type { Engine } from '../../engine/engine.ts'
import { keepInUse } from '../../engine/computers/access/keep-in-use.ts'
import { dialExposed, findExposed } from '../../engine/computers/ports/find-exposed.ts'
import { asCarrelError, CarrelError, isOutOfDescriptors } from '../../errors.ts'
import type { Connections } from '../connections.ts'
import type { StalledBodies } from '../stalled-bodies.ts'
import { cutStalledConnection } from '../stalled-clients.ts'
import { sendFinalResponse } from '../final-response.ts'
import { PreviewErrors } from './error-page.ts'
import { forwardRequest } from './forward-request.ts'
import { forwardSocket } from './forward-socket.ts'
import type { PreviewTarget } from './preview-name.ts'
import { Upstreams } from './upstreams.ts'

interface Parts {
  engine: Engine
  bodies: StalledBodies
  connections: Connections
}

/**
 * Relays HTTP requests and WebSockets to the server that listens on a port of a computer. Both directions are streamed.
 * An open request counts as use of the computer; a request never starts a computer that is not running.
 */
export class PreviewProxy {
  readonly #engine: Engine
  readonly #upstreams: Upstreams
  readonly #bodies: StalledBodies
  readonly #connections: Connections
  readonly #errors: PreviewErrors

  constructor({ engine, bodies, connections }: Parts) {
    this.#engine = engine
    this.#bodies = bodies
    this.#connections = connections
    this.#errors = new PreviewErrors(engine.settings)
    this.#upstreams = new Upstreams((port, options) => dialExposed(engine, port, options), engine.budgets.descriptors)
  }

  async handle(target: PreviewTarget, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { ownTokens, budgets } = this.#engine
    let done: (() => void) | undefined
    let lease: Lease | undefined
    try {
      const exposed = await findExposed(this.#engine, target)
      if (request.socket.destroyed) return
      const { shares, kept: holders } = this.#connections.visit(request, target.computerId, exposed.accountId)
      lease = budgets.descriptors.take(action, shares)
      done = keepInUse(this.#engine, exposed)
      this.#bodies.watch(request, () => {
        const error = new CarrelError('request_timeout', 'Cannot forward the request: its body stopped arriving')
        if (!response.headersSent) this.refuse(request, response, error)
        request.socket.destroySoon()
      })
      await forwardRequest({ upstreams: this.#upstreams, target: exposed, request, response, ownTokens, holders })
    } catch (error) {
      if (response.destroyed || response.headersSent) request.socket.destroy()
      else this.refuse(request, response, this.#toCarrelError(error))
    } finally {
      lease?.release()
      done?.()
    }
  }

  /** Answers a request with an error, for its visitor. */
  refuse(request: IncomingMessage, response: ServerResponse, error: CarrelError): void {
    this.#errors.send(request, response, error)
  }

  async upgrade(target: PreviewTarget, request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    client.on('error', () => {})
    try {
      const exposed = await findExposed(this.#engine, target)
      if (client.destroyed) return
      const { shares } = this.#connections.visit(request, target.computerId, exposed.accountId)
      const lease = this.#engine.budgets.descriptors.take(action, shares)
      client.once('close', lease.release)
      const upstream = await dialExposed(this.#engine, exposed)
      if (client.destroyed) return void upstream.destroy()
      client.once('close', keepInUse(this.#engine, exposed))
      if (client instanceof Socket) cutStalledConnection(client, limits.stalledClientMs, limits.idlePreviewSocketMs)
      await forwardSocket({ connection: upstream, request, client, head, ownTokens: this.#engine.ownTokens })
    } catch (error) {
      sendFinalResponse(client, this.#errors.raw(request, this.#toCarrelError(error)))
    }
  }

  #toCarrelError(error: unknown): CarrelError {
    if (error instanceof CarrelError || isOutOfDescriptors(error)) return asCarrelError(error)
    this.#engine.log.debug({ err: error }, 'preview failed')
    return new CarrelError(
      'upstream_unreachable',
      'Cannot open the preview: the server in the computer sent no valid response',
      {
        cause: error,
      },
    )
  }
}

const action = 'open the preview'
