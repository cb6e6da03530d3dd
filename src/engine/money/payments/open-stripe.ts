import type { Stripe } from 'stripe'
import type { Settings } from '../../../config/settings.ts'
import { CarrelError } from '../../../errors.ts'

/** The operator's account at Stripe. */
export interface StripeAccount {
  client: Stripe
  /** False with a test key: no money moves. */
  isLive: boolean
}

/** Returns the Stripe account; undefined without a key. The library is loaded only then. */
export async function openStripe({ stripeKey, stripeUrl }: Settings): Promise<StripeAccount | undefined> {
  if (stripeKey === undefined) return undefined
  const { Stripe } = await import('stripe')
  const client = new Stripe(stripeKey, {
    ...addressOf(stripeUrl),
    telemetry: false,
    timeout: timeoutMs,
    maxNetworkRetries,
  })
  return { client, isLive: /^.k_live_/.test(stripeKey) }
}

function addressOf(url: string | undefined) {
  if (url === undefined) return {}
  const { protocol, hostname, port } = new URL(url)
  const isSecure = protocol === 'https:'
  return { protocol: isSecure ? 'https' : 'http', host: hostname, port: port || (isSecure ? 443 : 80) } as const
}

/** Returns the error for a failure of Stripe. A fault of the request itself is the server's own. */
export function stripeFailure(doing: string, cause: unknown): CarrelError {
  const { type = '', message = '' } = cause as { type?: string; message?: string }
  if (type === 'StripeAuthenticationError' || type === 'StripePermissionError')
    return new CarrelError('not_set_up', `Cannot ${doing}: Stripe refuses the key in CARREL_STRIPE_KEY`, { cause })
  if (type === 'StripeInvalidRequestError')
    return new CarrelError('internal', `Cannot ${doing}: Stripe refuses the request: ${message}`, { cause })
  return new CarrelError('unavailable', `Cannot ${doing}: Stripe does not answer as expected`, { cause })
}

const timeoutMs = 10_000
const maxNetworkRetries = 2
