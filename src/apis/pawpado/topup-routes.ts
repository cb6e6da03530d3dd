import type { Engine } from '../../engine/engine.ts'
import { startPayment } from '../../engine/money/payments/start-payment.ts'
import type { App } from '../../http/app.ts'
import { checkoutOf, purchaseOf } from './mapping.ts'
import { topUpAnswer, topUpBody } from './schemas.ts'

/** Adds `POST /api/v1/credits/topup`, which returns a payment page. */
export function addTopUpRoutes(app: App, engine: Engine): void {
  app.post(
    '/api/v1/credits/topup',
    {
      schema: { body: topUpBody, response: { 200: topUpAnswer } },
      config: {
        // Every token that can spend an account's credit can add to it.
        scope: 'any',
        idempotent: true,
        documentation: {
          description: 'Create a top-up checkout session',
          notes: 'The user pays at checkoutUrl; the credit is added shortly after the payment.',
          example: { tier: 'starter' },
          errors: ['not_set_up', 'limit_reached', 'unavailable'],
        },
      },
    },
    async ({ body, caller }) => checkoutOf(await startPayment(engine, caller, purchaseOf(body))),
  )
}
