import { Type } from 'typebox'
import { limits } from '../../../config/limits.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { Terminal } from '../../../engine/types.ts'
import type { App } from '../../../http/app.ts'
import { terminalSize } from '../../../http/sockets/terminal-fields.ts'
import { isoTime } from '../../iso-time.ts'
import { object } from '../../schema.ts'
import { addPageSocket } from './page-sockets.ts'
import { openFor, visitOf } from './page-visit.ts'
import { TerminalSocket } from './terminal-socket.ts'

const sizeBody = object(terminalSize.properties)
const params = object({ id: Type.String({ minLength: 1, maxLength: limits.processIdLength }) })

/** Adds the terminals of the computer, and the WebSocket of each. */
export function addTerminalRoutes(app: App, engine: Engine): void {
  const config = openFor(engine, 'everything')
  app.get('/api/terminals', { config }, async (request) => ({
    terminals: engine.terminals.list(engine, visitOf(request).session.computer).map(terminalOf),
  }))
  app.post('/api/terminals', { schema: { body: sizeBody }, config }, async (request, reply) => {
    const terminal = await engine.terminals.open(engine, visitOf(request).session.computer, request.body)
    void reply.status(201)
    return { terminal: terminalOf(terminal) }
  })
  app.delete('/api/terminals/:id', { schema: { params }, config }, async (request, reply) => {
    await engine.terminals.end(engine, visitOf(request).session.computer, request.params.id)
    return reply.status(204).send()
  })
  addPageSocket(app, engine, {
    path: '/api/terminals/:id/socket',
    part: 'everything',
    maxMessageBytes: limits.socketMessageBytes,
    open: async (socket, visit, { params, query }) => {
      const terminal = engine.terminals.find(engine, visit.session.computer, params['id'] ?? '')
      const after = Number(query.get('after') ?? 0)
      await new TerminalSocket({ engine, socket, terminal }).run(Number.isSafeInteger(after) ? after : 0)
    },
  })
}

function terminalOf({ id, number, process }: Terminal) {
  return {
    id,
    title: `Terminal ${number}`,
    started_at: isoTime(process.startedAtMs),
    exited: process.exit !== undefined,
  }
}
