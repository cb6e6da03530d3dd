import type { IncomingHttpHeaders } from 'node:http'
import { limits } from '../../config/limits.ts'
import type { Engine } from '../../engine/engine.ts'
import { assertSignedRecently, handleStripeEvent } from '../../engine/money/payments/handle-stripe-event.ts'
import type { App } from '../../http/app.ts'
import { holdUntilAnswered } from '../../http/large-response.ts'
import { webhookAnswer, webhookBody } from './schemas.ts'

/**
 * Adds `POST /billing/webhook`, in a scope of its own: the signature covers the raw bytes, so no parser may change
 * them.
 */
export function addWebhookRoutes(app: App, engine: Engine): void {
  void app.register(async (scope: App) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    scope.post<{ Body: Buffer }>(
      '/billing/webhook',
      {
        schema: { response: { 200: webhookAnswer } },
        bodyLimit: limits.webhookBytes,
        onRequest: async (request) => {
          assertSignedRecently(engine, signatureOf(request.headers))
          const bytes = Number(request.headers['content-length'] ?? limits.webhookBytes)
          // Anyone can send something that looks like an event: all of these bodies together share one memory budget.
          if (bytes > limits.uncountedBytes && bytes <= limits.webhookBytes)
            holdUntilAnswered(request, await engine.budgets.memory.reserve('', bytes))
        },
        config: {
          public: true,
          documentation: {
            description: 'Handle Stripe webhook events',
            notes:
              'Only for Stripe, which signs its requests (Stripe-Signature). Events may come twice and in any order. Any status but 200 makes Stripe send the event again.',
            example: { id: 'evt_1', type: 'checkout.session.completed' },
            form: webhookBody,
            errors: ['not_set_up', 'unavailable'],
          },
        },
      },
      async ({ body, headers }) => {
        await handleStripeEvent(engine, body ?? Buffer.alloc(0), signatureOf(headers))
        return { received: true }
      },
    )
  })
}

function signatureOf({ 'stripe-signature': signature }: IncomingHttpHeaders): string | undefined {
  return typeof signature === 'string' ? signature : undefined
}
