import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { isLoopback } from '../../config/settings.ts'
import type { Engine } from '../../engine/engine.ts'
import { viewPayment, type PaymentView } from '../../engine/money/payments/view-payment.ts'
import { payWithPlayMoney } from '../../engine/money/payments/play-money.ts'
import { asCarrelError, CarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { readForms } from '../../http/form-body.ts'
import { pageHeaders } from '../../http/pages/page.ts'
import { cancelPage, noPaymentPage, payPage, returnPage } from './payment-pages.ts'

const id = Type.String({ minLength: 1, maxLength: 100 })
const query = Type.Object({ payment: id })
const params = Type.Object({ payment: id })

/**
 * Adds the pages of a payment. They show its state, and nothing of the account, to anyone who has its unguessable id.
 */
export function addPaymentRoutes(app: App, engine: Engine): void {
  const show = async (reply: FastifyReply, payment: string, page: (payment: PaymentView) => string) => {
    reply.headers(pageHeaders)
    try {
      return await reply.send(page(await viewPayment(engine, payment)))
    } catch (error) {
      if (asCarrelError(error).code !== 'not_found') throw error
      return reply.status(404).send(noPaymentPage())
    }
  }
  const config = { public: true }
  app.get('/billing/return', { schema: { querystring: query }, config }, ({ query }, reply) =>
    show(reply, query.payment, returnPage),
  )
  app.get('/billing/cancel', { schema: { querystring: query }, config }, ({ query }, reply) =>
    show(reply, query.payment, cancelPage),
  )
  if (engine.settings.playMoney) addPlayMoney(app, engine, show)
}

type Show = (reply: FastifyReply, payment: string, page: (payment: PaymentView) => string) => Promise<FastifyReply>

function addPlayMoney(app: App, engine: Engine, show: Show): void {
  void app.register(async (scope: App) => {
    readForms(scope)
    scope.get('/billing/pay/:payment', { schema: { params }, config: { public: true } }, ({ params }, reply) =>
      show(reply, params.payment, payPage),
    )
    scope.post('/billing/pay/:payment', { schema: { params }, config: { public: true } }, async (request, reply) => {
      assertLocal(request)
      const { payment } = request.params
      await payWithPlayMoney(engine, payment)
      return reply.redirect(`/billing/return?payment=${encodeURIComponent(payment)}`, 303)
    })
  })
}

/** Throws `forbidden` unless the request names this machine: clients elsewhere reach the server by another name. */
function assertLocal({ hostname }: FastifyRequest): void {
  if (isLoopback(hostname)) return
  throw new CarrelError(
    'forbidden',
    `Cannot pay with play money: the request is to "${hostname}", which others can reach`,
  )
}
