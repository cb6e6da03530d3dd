import { readFileSync } from 'node:fs'
import { newSession, until } from '../support/server.ts'
import type { TestClient } from '../support/test-client.ts'

const source = readFileSync(new URL('./fixtures/guest-server.js', import.meta.url), 'utf8')

export interface GuestServer {
  sessionId: string
  port: number
  url: string
  wsUrl: string
  /** The Host header of a request to it. */
  host: string
  computerId: string
}

/** Runs `fixtures/guest-server.js` in a sandbox and exposes its port. */
export async function startGuestServer(
  server: TestClient,
  { port = 8080, address = '127.0.0.1', sessionId = newSession() } = {},
): Promise<GuestServer> {
  await server.post('/files/write', { path: 'server.js', content: source, sessionId })
  const processId = `server-${port}`
  await server.post('/process/start', { command: `node server.js ${port} ${address}`, processId, sessionId })
  await until(
    () => server.post('/process/get', { processId, sessionId }),
    ({ body }) => body.logs.stdout === 'listening\n',
  )
  const { body } = await server.post('/expose', { port, sessionId })
  const { host, hostname } = new URL(body.url)
  return { sessionId, port, url: body.url, wsUrl: body.wsUrl, host, computerId: hostname.split('-')[1]! }
}
