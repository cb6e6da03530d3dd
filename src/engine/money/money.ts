import type { PriceBook } from '../../config/price-book.ts'
import type { Context } from '../context.ts'
import type { CreditWatch } from './credit/credit-watch.ts'
import type { MachinePayments } from './machine-payments/machine-payments.ts'
import type { StripeAccount } from './payments/open-stripe.ts'
import type { ComputeMeter } from './usage/compute-meter.ts'

/** What the money room keeps in memory: prices, running usage, and the ways to pay. */
export interface Money {
  prices: PriceBook
  meter: ComputeMeter
  credit: CreditWatch
  /** undefined when Stripe is not configured. */
  stripe: StripeAccount | undefined
  machinePayments: MachinePayments
}

/** What functions of the money room may use. */
export type MoneyContext = Context & Money

/** What functions use that read, charge or add to an account's credit. */
export type CreditContext = Pick<MoneyContext, 'db' | 'settings' | 'server' | 'prices' | 'meter' | 'credit'>

/** What functions use that record usage, or credit payments, one at a time. */
export type PostingContext = CreditContext & Pick<MoneyContext, 'node' | 'log' | 'locks'>
