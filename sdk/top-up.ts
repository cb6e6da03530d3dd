import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'
import { CarrelApiError } from './errors.ts'

/** A package of credit by its name, or an amount in US cents: one of them. */
export interface TopUpOptions extends RequestOptions {
  tier?: string
  amountCents?: number
}

export interface TopUp {
  /** Where a person pays. */
  checkoutUrl: string
  paymentId: string
  amountCents: number
  /** What that gives, in US dollars, the bonus included. */
  creditsAdded: number
  currency: string
}

/** What can be bought on a server. */
export interface TopUpOffer {
  tiers: { tier: string; amountCents: number; creditsAdded: number; bonusPercent: number }[]
  customAmount: { minimumCents: number; maximumCents: number }
  /** By which programs can pay, such as `tempo`; empty where they cannot. */
  paymentMethodsAccepted: string[]
  /** Whether a person can. */
  checkout: boolean
}

/** Begins a payment; a person pays at its `checkoutUrl`. Rejects with `NOT_SET_UP` where the server takes none. */
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

export function topUpOffer({ transport }: Context, options: RequestOptions = {}): Promise<TopUpOffer> {
  return transport.json({ method: 'GET', path: '/topup', retry: 'repeatable', ...callFields(options) })
}

/** Whether the server takes payments from programs (Machine Payments Protocol). It is asked for one; nothing is paid. */
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
