import { limits } from '../../config/limits.ts'
import type { Engine } from '../../engine/engine.ts'
import { takeStripeEvent } from '../../engine/payments/take-stripe-event.ts'
import type { App } from '../../http/app.ts'
import { webhookAnswer, webhookBody } from './billing-schemas.ts'

/** `POST /billing/webhook`, in a scope of its own: a signature is of the bytes that came, not of what they say. */
export function addWebhookRoute(app: App, engine: Engine): void {
  void app.register(async (scope: App) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    scope.post<{ Body: Buffer }>(
      '/billing/webhook',
      {
        schema: { response: { 200: webhookAnswer } },
        bodyLimit: limits.webhookBytes,
        config: {
          public: true,
          documentation: {
            description: 'Handle Stripe webhook events',
            returns: '{ received }',
            notes:
              'For Stripe alone, which signs what it sends (Stripe-Signature). An event may come twice and in any order. Other than 200 means: send it again.',
            example: { id: 'evt_1', type: 'checkout.session.completed' },
            form: webhookBody,
            errors: ['not_set_up', 'unavailable'],
          },
        },
      },
      async ({ body, headers }) => {
        const signature = headers['stripe-signature']
        await takeStripeEvent(engine, body ?? Buffer.alloc(0), typeof signature === 'string' ? signature : undefined)
        return { received: true }
      },
    )
  })
}
