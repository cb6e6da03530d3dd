import { Type } from 'typebox'
import type { CarrelError, ErrorCode } from '../../errors.ts'
import type { ErrorEnvelope } from '../../http/error-envelope.ts'
import { paymentRequiredAnswer } from '../../http/payment-auth.ts'
import type { Instructions } from '../../http/surface.ts'
import { errorSentence, openEnvelope, ownErrorFields, ownErrorFieldsOf } from '../own-errors.ts'

export const instructions = {
  unauthenticated: 'Send a valid token in "Authorization: Bearer <token>"; POST /login returns a new one.',
  out_of_credits:
    'Open topupUrl to see the ways to pay. Programs send POST /topup with {tier} or {amountCents} and X-Session-Token, and let an MPP client answer the payment challenge; POST /api/v1/credits/topup returns a payment link for a user.',
  spending_limit_reached:
    'A spending limit of this account or token is used up. Wait until resetsAt, or ask an admin to raise the limit (PATCH /v1/billing/preferences).',
  payment_required:
    'Answer one of the challenges in WWW-Authenticate: Payment (POST /topup: with a payment; POST /login: with a signature of the wallet, which costs nothing), and send the same request again with Authorization: Payment <credential>. POST /topup takes the token in X-Session-Token.',
  route_not_found: 'GET / lists every route with its method.',
  method_not_allowed: 'GET / lists every route with its method.',
  process_goes_on:
    'The process continues: the server stopped before the process ended, or cannot find out whether it has ended. Once the server is back, or "monitor" in GET /health is ok, fetch the process by its processId (POST /process/get), or repeat the request if it had an Idempotency-Key: the answer then reports how that process ended. Without a key, the same request runs the command a second time.',
  output_waits:
    'The process has ended and its output is kept: fetch the output in parts by the processId (POST /process/get). Sending the same request again runs the command a second time.',
} as const satisfies Instructions

/** What to do next about the 402 of a route, which asks for one thing: a signature, or a payment. */
export const challengeInstructions = {
  login:
    'Sign the challenge in WWW-Authenticate: Payment with the wallet, which costs nothing, and send the same request again with Authorization: Payment <credential>.',
  topUp:
    'Pay by one of the challenges in WWW-Authenticate: Payment, and send the same request again with Authorization: Payment <credential>, and the token in X-Session-Token.',
} as const

/** Returns a function that makes the error body of a request that is challenged. */
export function challengeBody(agentInstruction: string) {
  return (error: CarrelError, requestId: string): Record<string, unknown> => ({
    ...errorBody(error, requestId),
    ...(error.code === 'payment_required' && { agentInstruction }),
  })
}

/**
 * Returns PaperPod's error body: `error`, a sentence, and the fields that Carrel adds. PaperPod's document has most of
 * these.
 */
export function errorBody(error: CarrelError, requestId: string): Record<string, unknown> {
  return { ...ownErrorFieldsOf(error, requestId, instructions), error: error.message }
}

export const envelope: ErrorEnvelope = {
  name: 'PaperPodError',
  schema: Type.Object({ error: errorSentence, ...ownErrorFields }, openEnvelope),
  body: errorBody,
  codeOf: (code) => code.toUpperCase(),
}

const { field: _, ...paymentErrorFields } = ownErrorFields

/** The OpenAPI description of the answer that asks for a payment or a proof. */
export const paymentAnswer = paymentRequiredAnswer({ error: errorSentence, ...paymentErrorFields })

/** The errors of every route that creates or starts a sandbox. */
export const sandboxErrors = [
  'out_of_credits',
  'spending_limit_reached',
  'limit_reached',
  'no_capacity',
  'image_missing',
  'other_node',
] as const satisfies ErrorCode[]
