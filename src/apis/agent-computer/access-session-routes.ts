import { Type } from 'typebox'
import { limits } from '../../config/limits.ts'
import { requireComputer } from '../../engine/computers/access/open-computer.ts'
import { createSession } from '../../engine/computers/access-sessions/create-session.ts'
import { readSession } from '../../engine/computers/access-sessions/read-session.ts'
import { revokeSession } from '../../engine/computers/access-sessions/revoke-session.ts'
import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { createSessionBody, sessionAnswer, sessionParams } from './access-session-schemas.ts'
import { computerParams } from './computer-schemas.ts'
import { sessionAnswerOf } from './session-answer.ts'
import { sessionKinds } from './session-kinds/session-kinds.ts'

export function addAccessSessionRoutes(app: App, engine: Engine): void {
  app.post(
    '/v1/computers/:id/access-sessions',
    {
      schema: { params: computerParams, body: createSessionBody, response: { 201: sessionAnswer } },
      config: {
        documentation: {
          description: 'Create an access session of a running computer',
          example: { kind: 'exec' },
          errors: ['conflict', 'not_found', 'limit_reached', 'not_set_up', 'other_node'],
          notes:
            'The token is shown in this answer alone. It opens this one computer, until it expires or is revoked, the computer stops or changes hands, or the token that created the session loses its access. A session of the kind exec is for the methods of process.Process at connect_url, by Connect (connectrpc.com): Start, Connect, List, Update, SendInput, StreamInput, SendSignal and CloseStdin. A session of the kind browser opens the page of the computer in a browser, one of the kind vnc its desktop alone: open access_url.',
        },
      },
    },
    async (request, reply) => {
      const { body, caller, params } = request
      const computer = await requireComputer(engine, caller, params.id, 'run')
      // Refuses what the server is not set up for, and what the computer lacks, before anything is made.
      const kind = sessionKinds[body.kind]
      await kind.entryOf({ engine, origin: request.baseUrl, computer, token: undefined })
      await kind.requireProgram?.(engine, computer)
      const lifeMs = body.ttl_seconds === undefined ? limits.accessSessionDefaultMs : body.ttl_seconds * 1000
      const { session, token } = await createSession(engine, computer, caller, { kind: body.kind, lifeMs })
      void reply.status(201).header('cache-control', 'no-store')
      return sessionAnswerOf(engine, request, { computer, session, token })
    },
  )
  app.get(
    '/v1/computers/:id/access-sessions/:sessionId',
    {
      schema: { params: sessionParams, response: { 200: sessionAnswer } },
      config: { documentation: { description: 'Read an access session', errors: ['not_found', 'other_node'] } },
    },
    async (request) => {
      const { caller, params } = request
      const computer = await requireComputer(engine, caller, params.id, 'run')
      return sessionAnswerOf(engine, request, {
        computer,
        session: await readSession(engine, computer, params.sessionId),
      })
    },
  )
  app.delete(
    '/v1/computers/:id/access-sessions/:sessionId',
    {
      schema: { params: sessionParams, response: { 204: Type.Null() } },
      config: {
        documentation: {
          description: 'Revoke an access session, and end what is open in it',
          returns: 'Nothing',
          errors: ['not_found', 'other_node'],
        },
      },
    },
    async ({ caller, params }, reply) => {
      await revokeSession(engine, await requireComputer(engine, caller, params.id, 'run'), params.sessionId)
      void reply.status(204)
      return null
    },
  )
}
