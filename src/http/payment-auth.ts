import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { PaymentRefusal } from '../engine/money/machine-payments/payment-refusal.ts'

/** Returns the `Authorization: Payment` header; undefined when the header is missing or has another scheme. */
export function paymentCredential({ authorization = '' }: IncomingHttpHeaders): string | undefined {
  return /^Payment +\S/i.test(authorization) ? authorization : undefined
}

/**
 * Requests a payment or a proof: one `WWW-Authenticate` line for each method, and the body that the protocol defines.
 */
export function askForPayment(reply: FastifyReply, { status, challenges, problem }: PaymentRefusal): FastifyReply {
  if (challenges.length > 0) reply.header('www-authenticate', challenges)
  return reply
    .status(status)
    .header('cache-control', 'no-store')
    .type('application/problem+json; charset=utf-8')
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problem)
}

/** The OpenAPI description of the 402 response. */
export const paymentRequiredAnswer = {
  description:
    'A challenge of the Machine Payments Protocol: one WWW-Authenticate: Payment line for each payment method. Answer one of them in Authorization: Payment',
  content: {
    'application/problem+json': {
      schema: {
        type: 'object',
        required: ['type', 'title', 'status', 'detail'],
        properties: {
          type: { type: 'string', description: 'A URL under https://paymentauth.org/problems/' },
          title: { type: 'string' },
          status: { type: 'integer' },
          detail: { type: 'string' },
          challengeId: { type: 'string' },
        },
      },
    },
  },
}
