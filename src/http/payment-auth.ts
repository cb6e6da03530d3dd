import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyReply } from 'fastify'
import { CarrelError } from '../errors.ts'
import type { PaymentRefusal } from '../engine/money/machine-payments/payment-refusal.ts'

/** Returns the `Authorization: Payment` header; undefined when the header is missing or has another scheme. */
export function paymentCredential({ authorization = '' }: IncomingHttpHeaders): string | undefined {
  return /^Payment +\S/i.test(authorization) ? authorization : undefined
}

/**
 * Requests a payment or a proof: one `WWW-Authenticate` line for each method, and the body that the protocol defines,
 * with the fields that every error of the surface has beside it.
 */
export function askForPayment(
  reply: FastifyReply,
  { status, challenges, problem }: PaymentRefusal,
  errorBody: (error: CarrelError, requestId: string) => Record<string, unknown>,
): FastifyReply {
  const detail = String(problem.detail)
  const error = status === 402 ? new CarrelError('payment_required', detail) : new CarrelError('unavailable', detail)
  if (challenges.length > 0) reply.header('www-authenticate', challenges)
  return reply
    .status(status)
    .header('cache-control', 'no-store')
    .type('application/problem+json; charset=utf-8')
    .serializer((body: unknown) => JSON.stringify(body))
    .send({ ...errorBody(error, reply.request.id), ...problem })
}

/** Returns the OpenAPI description of the 402 response; `errorFields` are those of every error of the surface. */
export function paymentRequiredAnswer(errorFields: Record<string, object>) {
  return {
    description:
      'A challenge of the Machine Payments Protocol: one WWW-Authenticate: Payment line for each payment method. Answer one of them in Authorization: Payment',
    content: {
      'application/problem+json': {
        schema: {
          type: 'object',
          required: ['type', 'title', 'status', 'detail', ...Object.keys(errorFields)],
          properties: {
            type: { type: 'string', description: 'A URL under https://paymentauth.org/problems/' },
            title: { type: 'string' },
            status: { type: 'integer' },
            detail: { type: 'string' },
            challengeId: { type: 'string' },
            ...errorFields,
          },
        },
      },
    },
  }
}
