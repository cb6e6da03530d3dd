import type { Engine } from '../../engine/engine.ts'
import type { Purchase } from '../../engine/money/ledger/top-up.ts'
import { startPayment } from '../../engine/money/payments/start-payment.ts'
import { CarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
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
    async ({ body, caller }) => {
      const { id, url, quote } = await startPayment(engine, caller, purchaseOf(body))
      return {
        checkoutUrl: url,
        paymentId: id,
        amountCents: quote.amountCents,
        creditsAdded: quote.creditMicros / 1_000_000,
        currency: 'usd',
      }
    },
  )
}

function purchaseOf({ tier, amountCents }: { tier?: string; amountCents?: number }): Purchase {
  if (tier !== undefined && amountCents === undefined) return { tier }
  if (tier === undefined && amountCents !== undefined) return { amountCents }
  throw new CarrelError('invalid_request', 'Cannot top up: send either "tier" or "amountCents"', {
    details: { field: 'tier' },
  })
}
