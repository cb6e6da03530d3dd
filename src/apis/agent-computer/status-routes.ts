import type { FastifyReply } from 'fastify'
import type { Engine } from '../../engine/engine.ts'
import { whyNotReady } from '../../engine/readiness.ts'
import type { App } from '../../http/app.ts'
import { readyDocument, sendReady } from '../../http/docs/ready-document.ts'
import { summaryDocument } from '../../http/summary-document.ts'
import { envelope } from './errors.ts'
import { probeAnswer, uptimeAnswer } from './schemas.ts'
import { uptimeAnswerOf } from './uptime-answer.ts'

/** Adds what needs no token: how the services work, and the probes of those who run the server. */
export function addStatusRoutes(app: App, engine: Engine): void {
  const uptime = summaryDocument(engine.uptime, (summary) =>
    readyDocument('application/json', JSON.stringify(uptimeAnswerOf(summary))),
  )
  app.get(
    '/v1/status/uptime',
    {
      schema: { response: { 200: uptimeAnswer } },
      config: {
        public: true,
        documentation: {
          description: 'Public uptime summary',
          notes:
            'The server checks its services each minute. A day or an hour is down if a tenth of its checks or more found the service down, degraded if any did or if a tenth or more found the service slow or impaired, and unknown if no server ran. Days are those of UTC. The summary covers all servers of the database.',
        },
      },
    },
    // The text is ready, so that the schema does not write it anew for each request.
    (request, reply) => void sendReady(request, reply as FastifyReply, uptime()),
  )
  app.get(
    '/healthz',
    {
      schema: { response: { 200: probeAnswer } },
      config: { public: true, documentation: { description: 'Whether the server answers' } },
    },
    async () => ({ status: 'ok' }),
  )
  app.get(
    '/readyz',
    {
      schema: { response: { 200: probeAnswer } },
      config: {
        public: true,
        documentation: {
          description: 'Whether the server can serve requests',
          notes: 'It cannot while it starts or stops, and while its database fails.',
          errors: ['unavailable'],
        },
      },
    },
    (request, reply) => {
      const reason = whyNotReady(engine)
      if (!reason) return { status: 'ok' }
      // Not thrown, as each failure of a probe would be a line in the log.
      void (reply as FastifyReply).code(reason.status).send(envelope.body(reason, request.id, request))
      return undefined
    },
  )
}
