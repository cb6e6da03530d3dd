import { limits } from '../../config/limits.ts'
import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { addSocket } from '../../http/sockets/add-socket.ts'
import { execMessages } from './exec-documents.ts'
import { ExecSocket } from './exec-socket.ts'

/** Adds `/v1/exec`, over which the command line runs programs: one program per connection, with raw bytes. */
export function addExecRoutes(app: App, engine: Engine): void {
  const documentation = {
    description: 'WebSocket that runs one program with a terminal or pipes, accepts signals, and can be resumed',
    auth: 'Authorization: Bearer <token>',
    protocol:
      'A start or attach message as JSON, then binary messages, whose first byte is 0 for stdin, 1 for stdout or 2 for stderr',
    messages: execMessages,
    notes:
      'The first message is { type: "start", argv or command, … } or { type: "attach", processId, cursor or fromEnd }; the server sends started, cursor, exit and error. After attaching, started has the outputEnd of a running process, the cursor after its output so far, and says whether it has a terminal (tty). After a dropped connection the process continues for a minute.',
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
