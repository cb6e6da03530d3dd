import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { BenchServer } from './server.ts'

/** Opens a WebSocket on the server. */
export async function openSocket(server: BenchServer, path: '/ws' | '/v1/exec'): Promise<WebSocket> {
  const socket = new WebSocket(`ws://${server.url.host}${path}`, {
    headers: { authorization: `Bearer ${server.token}` },
    perMessageDeflate: false,
    maxPayload: 64 * 1024 * 1024,
    // The client shares the machine with the server, and does as little as possible.
    skipUTF8Validation: true,
  })
  await once(socket, 'open')
  return socket
}
