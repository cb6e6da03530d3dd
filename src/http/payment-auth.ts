import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { PaymentRefusal } from '../engine/money/machine-payments/payment-refusal.ts'

/** What `Authorization: Payment` carries; undefined where that header is of another scheme, or not there. */
export function paymentCredential({ authorization = '' }: IncomingHttpHeaders): string | undefined {
  return /^Payment +\S/i.test(authorization) ? authorization : undefined
}

/** Asks for a payment or a proof, by a line of `WWW-Authenticate` for each way, and a body as the protocol has it. */
export function askForPayment(reply: FastifyReply, { status, challenges, problem }: PaymentRefusal): FastifyReply {
  if (challenges.length > 0) reply.header('www-authenticate', challenges)
  return reply
    .status(status)
    .header('cache-control', 'no-store')
    .type('application/problem+json; charset=utf-8')
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problem)
}

/** How OpenAPI tells of it. */
export const paymentRequiredAnswer = {
  description:
    'A challenge of the Machine Payments Protocol: one line of WWW-Authenticate: Payment for each way. Answer one in Authorization: Payment',
  content: {
    'application/problem+json': {
      schema: {
        type: 'object',
        required: ['type', 'title', 'status', 'detail'],
        properties: {
          type: { type: 'string', description: 'An address below https://paymentauth.org/problems/' },
          title: { type: 'string' },
          status: { type: 'integer' },
          detail: { type: 'string' },
          challengeId: { type: 'string' },
        },
      },
    },
  },
}
