import { limits } from '../../config/limits.ts'
import type { Engine } from '../../engine/engine.ts'
import type { CarrelError } from '../../errors.ts'
import type { SocketEndpoint } from '../../http/sockets/socket-server.ts'
import { ExecSocket } from './exec-socket.ts'

type ErrorBody = (error: CarrelError, requestId: string) => Record<string, unknown>

/** `/v1/exec`, over which the command line runs programs: one program, raw bytes, a connection of its own. */
export function execEndpoint(engine: Engine, errorBody: ErrorBody): SocketEndpoint {
  return {
    path: '/v1/exec',
    maxMessageBytes: limits.socketMessageBytes,
    open: (socket, { caller }) => {
      const options = { engine, caller, socket, errorBody: (error: CarrelError) => errorBody(error, '') }
      return void new ExecSocket(options)
    },
  }
}
