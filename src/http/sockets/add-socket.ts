import type { RouteShorthandOptions } from 'fastify'
import { CarrelError } from '../../errors.ts'
import type { App } from '../app.ts'
import type { RouteDocumentation } from '../route-config.ts'
import type { SocketEndpoint } from './socket-endpoint.ts'

type Config = NonNullable<RouteShorthandOptions['config']> & { documentation: RouteDocumentation }

/**
 * Adds a WebSocket at a path, which can have parameters such as `/v1/computers/:id/vnc`. A request that is no handshake
 * is answered with `upgrade_required`.
 */
export function addSocket(app: App, path: string, config: Config, socket: SocketEndpoint): void {
  const documentation = { ...webSocket, ...config.documentation }
  app.get(path, { config: { ...config, documentation, socket } }, (_request, reply) => {
    reply.header('upgrade', 'websocket').header('connection', 'Upgrade')
    throw new CarrelError('upgrade_required', `Cannot answer GET ${path}: it is a WebSocket`)
  })
}

const webSocket = { returns: 'Switching protocols: a WebSocket', answers: { 101: { type: 'null' } } }
