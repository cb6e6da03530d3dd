import { creditLeft } from '../../engine/money/credit/credit-left.ts'
import type { Engine } from '../../engine/engine.ts'
import { storageBill } from '../../engine/money/usage/storage-bill.ts'
import { storageUsed } from '../../engine/money/usage/storage-used.ts'
import type { App } from '../../http/app.ts'
import { isoTime } from '../iso-time.ts'
import { creditsAnswer, storageAnswer } from './schemas.ts'

export function addCreditRoutes(app: App, engine: Engine): void {
  app.get(
    '/api/v1/credits/me',
    {
      schema: { response: { 200: creditsAnswer } },
      config: {
        scope: 'any',
        documentation: {
          description: 'Current balance, currency, storage usage',
        },
      },
    },
    async ({ caller: { accountId } }) => ({
      balance: (await creditLeft(engine, accountId)) / 1_000_000,
      currency: 'USD',
      storageUsedBytes: await storageUsed(engine, accountId),
    }),
  )
  app.get(
    '/api/v1/billing/storage',
    {
      schema: { response: { 200: storageAnswer } },
      config: {
        scope: 'any',
        documentation: {
          description: 'Current storage tier and billing period',
          notes: 'The billing period is a calendar month, in UTC.',
        },
      },
    },
    async ({ caller: { accountId } }) => {
      const { fromMs, toMs, hotMicros, coldMicros, gibHours, amountMicros } = await storageBill(engine, accountId)
      return {
        tier: hotMicros === 0 && coldMicros === 0 ? ('included' as const) : ('metered' as const),
        currency: 'USD',
        pricePerGibHour: hotMicros / 1_000_000,
        pricePerGibHourStopped: coldMicros / 1_000_000,
        storageUsedBytes: await storageUsed(engine, accountId),
        gibHours,
        amount: amountMicros / 1_000_000,
        billingPeriodStart: isoTime(fromMs),
        billingPeriodEnd: isoTime(toMs),
      }
    },
  )
}
