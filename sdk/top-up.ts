import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'
import { CarrelApiError } from './errors.ts'

/** Either the name of a package of credit or an amount in US cents. */
export interface TopUpOptions extends RequestOptions {
  tier?: string | undefined
  amountCents?: number | undefined
}

export interface TopUp {
  /** Where a person pays. */
  checkoutUrl: string
  paymentId: string
  amountCents: number
  /** The credit that the payment adds, in US dollars, including the bonus. */
  creditsAdded: number
  currency: string
}

/** What can be bought on a server. */
export interface TopUpOffer {
  tiers: { tier: string; amountCents: number; creditsAdded: number; bonusPercent: number }[]
  customAmount: { minimumCents: number; maximumCents: number }
  /** Payment methods for programs, such as `tempo`; empty if programs cannot pay. */
  paymentMethodsAccepted: string[]
  /** Whether a person can pay. */
  checkout: boolean
}

/**
 * Begins a payment; a person pays at the returned `checkoutUrl`. Rejects with `NOT_SET_UP` if the server accepts no
 * payments.
 */
export function topUp(context: Context, { tier, amountCents, ...options }: TopUpOptions): Promise<TopUp> {
  return context.transport.json<TopUp>({
    method: 'POST',
    path: '/api/v1/credits/topup',
    json: { tier, amountCents },
    idempotencyKey: crypto.randomUUID(),
    retry: 'repeatable',
    ...callFields(options),
  })
}

/** Returns the packages of credit, the minimum and maximum amount, and the payment methods. */
export function topUpOffer({ transport }: Context, options: RequestOptions = {}): Promise<TopUpOffer> {
  return transport.json({ method: 'GET', path: '/topup', retry: 'repeatable', ...callFields(options) })
}

/**
 * Returns whether the server accepts payments from programs (Machine Payments Protocol). It requests one and pays
 * nothing.
 */
export async function takesMachinePayments(context: Context, options: RequestOptions = {}): Promise<boolean> {
  try {
    const json = { amountCents: 10_000 }
    await context.transport.json({ method: 'POST', path: '/topup', json, retry: 'never', ...callFields(options) })
    return false
  } catch (error) {
    if (error instanceof CarrelApiError) return error.status === 402
    throw error
  }
}
