import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { BenchServer } from './server.ts'

/** A WebSocket on the server that is open. */
export async function openSocket(server: BenchServer, path: '/ws' | '/v1/exec'): Promise<WebSocket> {
  const socket = new WebSocket(`ws://${server.url.host}${path}`, {
    headers: { authorization: `Bearer ${server.token}` },
    perMessageDeflate: false,
    maxPayload: 64 * 1024 * 1024,
    // The receiving side shares the machine: it does as little as it can.
    skipUTF8Validation: true,
  })
  await once(socket, 'open')
  return socket
}
