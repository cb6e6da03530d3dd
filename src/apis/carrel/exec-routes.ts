import { limits } from '../../config/limits.ts'
import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { addSocket } from '../../http/sockets/add-socket.ts'
import { ExecSocket } from './exec-socket.ts'

/** `/v1/exec`, over which the command line runs programs: one program, raw bytes, a connection of its own. */
export function addExecRoutes(app: App, engine: Engine): void {
  const documentation = {
    description: 'WebSocket that runs one program: a terminal or pipes, signals, and attaching again',
    auth: 'Authorization: Bearer <token>',
    protocol:
      'A start or attach message as JSON, then bytes as binary messages, whose first byte is 0 for stdin, 1 for stdout or 2 for stderr',
    notes:
      'The first message is { type: "start", argv or command, … } or { type: "attach", processId, cursor }; the answers are started, cursor, exit and error. The process lives on for a minute after a connection that breaks.',
  }
  addSocket(
    app,
    '/v1/exec',
    { documentation },
    {
      maxMessageBytes: limits.socketMessageBytes,
      open: (socket, { caller, errorBody }) =>
        void new ExecSocket({ engine, caller, socket, errorBody: (error) => errorBody(error, '') }),
    },
  )
}
