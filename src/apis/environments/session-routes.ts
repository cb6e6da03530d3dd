import type { FastifyRequest } from 'fastify'
import { limits } from '../../config/limits.ts'
import type { Engine } from '../../engine/engine.ts'
import { containersOf } from '../../engine/environments/sessions/containers-of.ts'
import { createSession } from '../../engine/environments/sessions/create-session.ts'
import { closeSession, durationSeconds } from '../../engine/environments/sessions/end-session.ts'
import { extendSession } from '../../engine/environments/sessions/extend-session.ts'
import { findSession } from '../../engine/environments/sessions/find-session.ts'
import { listSessions } from '../../engine/environments/sessions/list-sessions.ts'
import { waitForSession } from '../../engine/environments/sessions/wait-for-session.ts'
import type { SessionFacts } from '../../engine/types.ts'
import type { App } from '../../http/app.ts'
import { clientLeft } from '../../http/client-left.ts'
import { idempotencyKeyOf } from '../../http/idempotency.ts'
import { isoTime } from '../iso-time.ts'
import { sessionOf } from './session-mapping.ts'
import {
  closeSessionAnswer,
  createSessionAnswer,
  createSessionBody,
  extendSessionBody,
  pageQuery,
  sessionAnswer,
  sessionParams,
  sessionsAnswer,
} from './session-schemas.ts'

export function addSessionRoutes(app: App, engine: Engine): void {
  app.get(
    '/sessions',
    {
      schema: { querystring: pageQuery, response: { 200: sessionsAnswer } },
      config: { documentation: { description: 'List environment sessions' } },
    },
    async (request) => {
      const { query, caller } = request
      const [page, limit] = [Number(query.page ?? 1), Number(query.page_size ?? limits.sampleSessionsListed)]
      const { sessions, count } = await listSessions(engine, caller, { page, limit })
      const containers = await containersOf(engine, sessions)
      return {
        sessions: sessions.map((row) => sessionOf(row, containers.get(row.id), request.baseUrl)),
        total_count: count,
        has_more: count > page * limit,
      }
    },
  )
  app.post(
    '/sessions',
    {
      schema: { body: createSessionBody, response: { 200: createSessionAnswer } },
      config: {
        idempotent: true,
        documentation: {
          description: 'Create a new session',
          example: { dataset: 'my-dataset', sample_id: 'fix-the-tests', ttl_minutes: 30 },
          errors: ['not_found', 'limit_reached', 'out_of_credits', 'spending_limit_reached', 'conflict'],
          notes:
            'The answer comes before the session is ready: poll GET /sessions/<session_id>. A repeated Idempotency-Key returns the same session. The session costs from when it is ready until it ends, whatever it does.',
        },
      },
    },
    async (request) => {
      const { dataset, sample_id: sampleId, version, ttl_minutes: minutes } = request.body
      const session = await createSession(engine, request.caller, {
        sample: { dataset, sampleId, ...(version === undefined ? {} : { version }) },
        ttlMs: ttlMsOf(minutes),
        requestKey: idempotencyKeyOf(request),
      })
      return { session_id: session.id, status: session.status, expires_at: isoTime(session.expires_at) }
    },
  )
  app.get(
    '/sessions/:session_id',
    {
      schema: { params: sessionParams, response: { 200: sessionAnswer } },
      config: { documentation: { description: 'Get session details', errors: ['not_found'] } },
    },
    async (request, reply) => {
      const { session_id: id } = request.params
      const found = await findSession(engine, request.caller, id)
      await waitForSession(engine, found, limits.pollGraceMs, clientLeft(request, reply))
      const row = found.status === 'creating' ? await findSession(engine, request.caller, id) : found
      return answerOf(request, row)
    },
  )
  app.delete(
    '/sessions/:session_id',
    {
      schema: { params: sessionParams, response: { 200: closeSessionAnswer } },
      config: {
        documentation: {
          description: 'Close/delete an environment session',
          errors: ['not_found', 'other_node'],
          notes:
            'Everything that runs in it ends, and its files are deleted. Its interactions can be read for 30 days.',
        },
      },
    },
    async ({ params, caller }) => {
      const row = await closeSession(engine, caller, params.session_id)
      return { message: `The session is ${row.status}`, duration_seconds: durationSeconds(row) }
    },
  )
  app.post(
    '/sessions/:session_id/extend',
    {
      schema: { params: sessionParams, body: extendSessionBody, response: { 200: sessionAnswer } },
      config: {
        documentation: {
          description: 'Let a session last longer',
          example: { ttl_minutes: 60 },
          errors: ['not_found', 'conflict', 'other_node'],
          notes: 'ttl_minutes counts from now on; a session that lasts longer anyway stays as it is.',
        },
      },
    },
    async (request) => {
      const { params, caller, body } = request
      return answerOf(request, await extendSession(engine, caller, params.session_id, ttlMsOf(body.ttl_minutes)))
    },
  )

  async function answerOf(request: Pick<FastifyRequest, 'baseUrl'>, row: SessionFacts) {
    return sessionOf(row, (await containersOf(engine, [row])).get(row.id), request.baseUrl)
  }
}

function ttlMsOf(minutes: number | undefined): number {
  return minutes === undefined ? limits.sampleSessionDefaultMs : minutes * 60_000
}
