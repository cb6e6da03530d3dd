import { readPriceBook } from '../../config/price-book.ts'
import type { Context } from '../context.ts'
import { CreditWatch } from './credit/credit-watch.ts'
import { MachinePayments } from './machine-payments/machine-payments.ts'
import { openPaymentSecret } from './machine-payments/secret.ts'
import type { Money } from './money.ts'
import { openStripe } from './payments/open-stripe.ts'
import { clock, ComputeMeter } from './usage/compute-meter.ts'

/** Assembles the money room. Throws when the price book cannot be read. */
export async function openMoney({ driver, settings, server }: Context): Promise<Money> {
  const prices = readPriceBook(settings.priceBook)
  return {
    prices,
    meter: new ComputeMeter({ ...clock, cpuMicros: (computerId) => driver.cpuMicros(computerId) }),
    credit: new CreditWatch(prices),
    stripe: await openStripe(settings),
    machinePayments: new MachinePayments(await openPaymentSecret(settings), server.origin),
  }
}
