import { errorCodes } from 'fastify'
import type { App } from './app.ts'
import { drainRequest } from './drain-request.ts'
import { answerMalformedRequest } from './malformed-request.ts'
import type { StalledBodies } from './stalled-bodies.ts'
import type { Surface } from './surface.ts'

/** Refuses bodies that are longer than their route allows, drains what is not read, and cuts what stops arriving. */
export function addBodyHooks(app: App, bodies: StalledBodies, surfaces: readonly Surface[]): void {
  // Checked here for every body parser, because some notice only after they have read too much.
  app.addHook('preParsing', (request, reply, payload, done) => {
    const { 'content-length': length, expect } = request.headers
    if (Number(length) > request.routeOptions.bodyLimit) return done(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE())
    if (expect !== undefined && /^100-continue$/i.test(expect)) reply.raw.writeContinue()
    done(null, payload)
  })
  app.addHook('onSend', async (request, reply) => {
    if (!request.raw.complete) drainRequest(request, reply)
  })
  app.addHook('onRequest', async (request, reply) => {
    const cut = () => {
      const { socket } = request.raw
      const error = Object.assign(new Error('the body stopped arriving'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
      // Unless another response is being sent on this connection.
      if (reply.raw.socket && !reply.raw.headersSent) answerMalformedRequest(error, socket, surfaces, request.url)
      socket.destroySoon()
    }
    bodies.watch(request.raw, cut, request.routeOptions.config.quietBodyMs)
  })
  app.addHook('onClose', async () => bodies.close())
}
