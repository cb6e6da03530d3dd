import type { Engine } from '../../engine/engine.ts'
import { paymentMethods } from '../../engine/machine-payments/payment-methods.ts'
import { takeTopUp } from '../../engine/machine-payments/take-top-up.ts'
import type { Purchase } from '../../engine/ledger/top-up.ts'
import { CarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { askForPayment, paymentCredential, paymentRequiredAnswer } from '../../http/payment-auth.ts'
import { topUpAnswer, topUpBody } from './schemas.ts'

export function addTopUpRoutes(app: App, engine: Engine): void {
  app.post(
    '/topup',
    {
      schema: { body: topUpBody, response: { 200: topUpAnswer } },
      config: {
        // Whoever may spend an account's credit may add to it.
        scope: 'any',
        documentation: {
          description: 'Top up credits via MPP using Tempo or Stripe',
          returns:
            '402 with WWW-Authenticate: Payment headers for configured methods, then { success, amountCents, creditsAdded, creditsRemaining, paymentMethodsAccepted }',
          example: { tier: 'starter' },
          errors: ['not_set_up'],
          answers: { 200: topUpAnswer, 402: paymentRequiredAnswer },
          notes:
            'Send {tier} or {amountCents}; the server responds with an MPP challenge and verifies whichever configured payment method the client chooses. Send your token via X-Session-Token: Authorization is taken by the Payment credential. The same credential again is credited once and answered the same',
        },
      },
    },
    async ({ body, caller, headers }, reply) => {
      const outcome = await takeTopUp(engine, {
        accountId: caller.accountId,
        purchase: purchaseOf(body),
        credential: paymentCredential(headers),
        accepts: headers['accept-payment'] as string | undefined,
      })
      if ('challenges' in outcome) return askForPayment(reply, outcome)
      const { amountCents, creditMicros, balanceMicros, receipt } = outcome
      reply.header('payment-receipt', receipt).header('cache-control', 'no-store')
      return {
        success: true,
        amountCents,
        creditsAdded: creditMicros / 1_000_000,
        creditsRemaining: balanceMicros / 1_000_000,
        paymentMethodsAccepted: paymentMethods(engine.settings),
      }
    },
  )
}

function purchaseOf({ tier, amountCents }: { tier?: string; amountCents?: number }): Purchase {
  if (tier !== undefined && amountCents === undefined) return { tier }
  if (amountCents !== undefined && tier === undefined) return { amountCents }
  throw new CarrelError('invalid_request', 'Cannot top up: send either "tier" or "amountCents"', {
    details: { field: 'tier' },
  })
}
