import { randomBytes } from 'node:crypto'
import { readPriceBook } from '../../config/price-book.ts'
import type { Context } from '../context.ts'
import type { Secrets } from '../secrets/secrets.ts'
import { CreditWatch } from './credit/credit-watch.ts'
import { MachinePayments } from './machine-payments/machine-payments.ts'
import type { Money } from './money.ts'
import { openStripe } from './payments/open-stripe.ts'
import { clock, ComputeMeter } from './usage/compute-meter.ts'

/** Assembles the money room. Throws when the price book cannot be read. */
export async function openMoney({ driver, settings, server }: Context, secrets: Pick<Secrets, 'get'>): Promise<Money> {
  const prices = readPriceBook(settings.priceBook)
  return {
    prices,
    meter: new ComputeMeter({ ...clock, cpuMicros: (computerId) => driver.cpuMicros(computerId) }),
    credit: new CreditWatch(prices),
    stripe: await openStripe(settings),
    machinePayments: new MachinePayments(
      settings.mppSecret ?? (await secrets.get('challenge-secret', createChallengeSecret)),
      server.origin,
    ),
  }
}

async function createChallengeSecret(): Promise<string> {
  return randomBytes(32).toString('base64url')
}
