import type { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { limits } from '../../config/limits.ts'
import type { Lease } from '../../engine/budgets/descriptor-budget.ts'
import type { Engine } from '../../engine/engine.ts'
import { keepInUse } from '../../engine/computers/access/keep-in-use.ts'
import { dialExposed, findExposed, whileOpen, type AccessiblePort } from '../../engine/computers/ports/find-exposed.ts'
import { asCarrelError, CarrelError, isOutOfDescriptors } from '../../errors.ts'
import type { Connections } from '../connections.ts'
import type { StalledBodies } from '../stalled-bodies.ts'
import { cutStalledConnection } from '../stalled-clients.ts'
import { sendFinalResponse } from '../final-response.ts'
import { PreviewErrors } from './error-page.ts'
import { forwardRequest } from './forward-request.ts'
import { forwardSocket } from './forward-socket.ts'
import { previewUrls, type PreviewTarget } from './preview-name.ts'
import { Upstreams } from './upstreams.ts'
import { entranceOf, visitorCookie, visitorCredential, type Entrance } from './visitor-credential.ts'

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
    let leave: (() => void) | undefined
    let exposed: AccessiblePort | undefined
    try {
      const entrance = entranceOf(request.url)
      exposed = await findExposed(this.#engine, target, entrance?.token ?? visitorCredential(request.headers))
      if (request.socket.destroyed) return
      if (entrance && exposed.visitor) return this.#enter(response, entrance)
      leave = whileOpen(this.#engine, exposed, () => request.socket.destroy())
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
      else this.#errors.send(request, response, this.#toCarrelError(error), exposed?.keepsFiles)
    } finally {
      lease?.release()
      done?.()
      leave?.()
    }
  }

  /** Keeps the token of a link in a cookie of this host, and leads to the address without it. */
  #enter(response: ServerResponse, { token, target }: Entrance): void {
    const isSecure = previewUrls(this.#engine.settings, '', 1).url.startsWith('https:')
    const cookie = `${visitorCookie}=${token}; Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`
    const headers = { 'set-cookie': cookie, location: target, 'cache-control': 'no-store', 'content-length': 0 }
    response.writeHead(303, { ...headers, 'referrer-policy': 'no-referrer' }).end()
  }

  /** Answers a request with an error, for its visitor. */
  refuse(request: IncomingMessage, response: ServerResponse, error: CarrelError): void {
    this.#errors.send(request, response, error)
  }

  async upgrade(target: PreviewTarget, request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    client.on('error', () => {})
    try {
      const exposed = await findExposed(this.#engine, target, visitorCredential(request.headers))
      if (client.destroyed) return
      const { shares } = this.#connections.visit(request, target.computerId, exposed.accountId)
      const lease = this.#engine.budgets.descriptors.take(action, shares)
      const leave = whileOpen(this.#engine, exposed, () => client.destroy())
      let done: (() => void) | undefined
      client.once('close', () => {
        lease.release()
        leave()
        done?.()
      })
      const upstream = await dialExposed(this.#engine, exposed)
      if (client.destroyed) return void upstream.destroy()
      done = keepInUse(this.#engine, exposed)
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
