import { computeHours } from '../../config/price-book.ts'
import type { Engine } from '../../engine/engine.ts'
import { paymentMethods } from '../../engine/money/machine-payments/payment-methods.ts'
import { takeTopUp } from '../../engine/money/machine-payments/take-top-up.ts'
import { quoteFor, type Purchase } from '../../engine/money/ledger/top-up.ts'
import { CarrelError, errorTable } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { askForPayment, paymentCredential } from '../../http/payment-auth.ts'
import { pageHeaders } from '../../http/pages/page.ts'
import { prefersHtml } from '../../http/prefers-html.ts'
import { challengeBody, challengeInstructions, instructions, paymentAnswer } from './errors.ts'
import { offerAnswers, topUpAnswer, topUpBody } from './schemas/credit.ts'
import { topUpPage, type Offer } from './topup-page.ts'

export function addTopUpRoutes(app: App, engine: Engine): void {
  app.get(
    '/topup',
    {
      config: {
        public: true,
        documentation: {
          description: 'Get the price of credit, and the ways to pay',
          answers: { 200: offerAnswers },
        },
      },
    },
    async ({ headers, baseUrl }, reply) => {
      const offer = offerOf(engine)
      void reply.header('vary', 'Accept')
      return prefersHtml(headers) ? reply.headers(pageHeaders).send(topUpPage(offer, baseUrl)) : offer
    },
  )
  app.post(
    '/topup',
    {
      schema: { body: topUpBody, response: { 200: topUpAnswer } },
      config: {
        // Every token that can spend an account's credit can add to it.
        scope: 'any',
        documentation: {
          description: 'Top up credits via MPP using Tempo or Stripe',
          returns: {
            challenge: '402 with one WWW-Authenticate: Payment header for each configured payment method',
            success: '{ success, amountCents, creditsAdded, creditsRemaining, paymentMethodsAccepted }',
          },
          headers: {
            'X-Session-Token': {
              required: true,
              description: 'Your token, because Authorization is reserved for the Payment credential',
            },
          },
          agentInstruction:
            'Use a client of the Machine Payments Protocol, and send your token in X-Session-Token, because Authorization is reserved for the Payment credential.',
          example: { tier: 'starter' },
          errors: ['not_set_up'],
          answers: { 200: topUpAnswer, 402: paymentAnswer },
          notes:
            'Send {tier} or {amountCents}; the server responds with an MPP challenge and verifies whichever configured payment method the client chooses. A credential that is sent again is credited only once, and gets the same answer.',
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
      if ('challenges' in outcome) return askForPayment(reply, outcome, challengeBody(challengeInstructions.topUp))
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

function offerOf({ prices, settings }: Engine): Offer {
  const methods = paymentMethods(settings)
  return {
    tiers: Object.keys(prices.tiers).map((tier) => {
      const { amountCents, creditMicros } = quoteFor(prices, { tier })
      const { bonusPercent } = prices.tiers[tier]!
      const hours = computeHours(prices, creditMicros)
      return {
        tier,
        amountCents,
        creditsAdded: creditMicros / 1_000_000,
        bonusPercent,
        // Compute can be free.
        ...(hours === undefined ? {} : { computeHours: hours }),
      }
    }),
    customAmount: { minimumCents: prices.minimumTopUpCents, maximumCents: prices.maximumTopUpCents },
    paymentMethodsAccepted: methods,
    checkout: settings.stripeKey !== undefined || settings.playMoney,
    agentInstruction: methods.length > 0 ? instructions.out_of_credits : errorTable.not_set_up.instruction,
  }
}

function purchaseOf({ tier, amountCents }: { tier?: string; amountCents?: number }): Purchase {
  if (tier !== undefined && amountCents === undefined) return { tier }
  if (amountCents !== undefined && tier === undefined) return { amountCents }
  throw new CarrelError('invalid_request', 'Cannot top up: send either "tier" or "amountCents"', {
    details: { field: 'tier' },
  })
}
