import type { FastifyRequest } from 'fastify'
import { CarrelError } from '../errors.ts'

/**
 * Throws `forbidden` for a form that a page of another origin sent, previews included: a visitor must not do something
 * by following a link elsewhere. Browsers say where a form comes from; what says nothing is a program.
 */
export function assertOwnForm({ headers, baseUrl }: FastifyRequest): void {
  const { 'sec-fetch-site': site, origin, host } = headers
  const isOwn =
    site === undefined
      ? origin === undefined || origin === baseUrl || URL.parse(origin)?.host === host
      : site === 'same-origin' || site === 'none'
  if (!isOwn) throw new CarrelError('forbidden', 'Cannot take the form: it was sent by a page of another site')
}
