import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

interface Pending {
  response: ServerResponse
  /** False for a response that ends when its client closes its side. */
  lasts: boolean
}

/** The responses of each connection, in order, those that were sent before the first other one left out. */
const pending = new WeakMap<Socket, Pending[]>()

/**
 * Answers clients that close their side of the connection once they have sent their request, as `nc -N` does. A client
 * that has left looks the same until something is sent to it, so such a client is probed until its responses are sent:
 * only one that still listens keeps its connection.
 */
export function answerHalfClosedClients(server: Server): void {
  // Node has this property without documenting it: true keeps a connection until the pending response is sent.
  Object.assign(server, { httpAllowHalfOpen: true })
  server.on('connection', (socket) => socket.once('end', () => probe(socket)))
}

/** Remembers the response to a request. `lasts` is false for one that ends when its client closes its side. */
export function noteResponse(response: ServerResponse, lasts: boolean): void {
  const { socket } = response.req
  const known = pendingOf(socket)
  if (known) known.push({ response, lasts })
  else pending.set(socket, [{ response, lasts }])
}

function pendingOf(socket: Socket): Pending[] | undefined {
  const known = pending.get(socket)
  while (known?.[0]?.response.writableFinished) known.shift()
  return known
}

/** Sends what means nothing to the client, from time to time: to a client that has left, that ends the connection. */
function probe(socket: Socket): void {
  let count = 0
  const next = () => {
    const [current] = pendingOf(socket) ?? []
    if (current === undefined) return
    if (!current.lasts) return void socket.end()
    if (count > 0) sendNothing(current.response)
    timer = setTimeout(next, probesMs[count++] ?? lastProbeMs)
  }
  let timer: NodeJS.Timeout | undefined
  socket.once('close', () => clearTimeout(timer))
  next()
}

function sendNothing(response: ServerResponse): void {
  if (!response.headersSent) {
    // A client of HTTP/1.0 knows no interim responses.
    if (response.req.httpVersion === '1.1') response.writeProcessing()
  } else if (String(response.getHeader('content-type')).startsWith('text/event-stream')) response.write(':\n\n')
}

/**
 * The time before each probe. The kernel learns from the first one that the client is gone, and reports it at the
 * second. Most responses are sent before the first one.
 */
const probesMs = [100, 100, 1000, 5000]
const lastProbeMs = 15_000
