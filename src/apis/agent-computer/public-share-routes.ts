import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { sessionAnswer } from './access-session-schemas.ts'
import { openShareSession } from './open-share-session.ts'
import { ShareVisits } from './share-visits.ts'
import { resolvedShareOf } from './share-mapping.ts'
import { addSharePage } from './share-page-routes.ts'
import { openShareBody, resolvedShareAnswer, shareTokenParams } from './share-schemas.ts'

/** Adds what strangers do with the link of a share. */
export function addPublicShareRoutes(app: App, engine: Engine): void {
  const visits = new ShareVisits(engine)
  app.get(
    '/v1/shares/:token',
    {
      schema: { params: shareTokenParams, response: { 200: resolvedShareAnswer } },
      config: {
        public: true,
        documentation: {
          description: 'Resolve a public share token',
          errors: ['not_found', 'other_node', 'rate_limited'],
          notes:
            'Does not count as a use. A token that is unknown, expired or deleted, and one of a deleted computer, get the same answer. Networks that send many of those are refused for a minute.',
        },
      },
    },
    async (request, reply) => {
      void reply.headers(privateHeaders)
      return { share: resolvedShareOf(request, await visits.look(reply, request.params.token)) }
    },
  )
  app.post(
    '/v1/shares/:token/access-sessions',
    {
      schema: { params: shareTokenParams, body: openShareBody, response: { 201: sessionAnswer } },
      config: {
        public: true,
        documentation: {
          description: 'Redeem a share token directly into browser or VNC access',
          example: { kind: 'browser' },
          errors: ['not_found', 'forbidden', 'conflict', 'limit_reached', 'not_set_up', 'other_node', 'rate_limited'],
          notes:
            'The computer has to run. The session ends with the share at the latest. A session of the kind vnc is for looking only, unless the share opens the page of the computer as well.',
        },
      },
    },
    async (request, reply) => {
      void reply.headers(privateHeaders)
      const opened = await visits.enter(reply, request.params.token)
      const answer = await openShareSession(engine, request, opened, request.body ?? {})
      void reply.status(201)
      return answer
    },
  )
  addSharePage(app, engine, visits)
}

const privateHeaders = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }
