import { isoTime } from '../iso-time.ts'
import { creditLeft } from '../../engine/money/credit/credit-left.ts'
import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { balanceAnswer } from './schemas/credit.ts'

export function addBalanceRoutes(app: App, engine: Engine): void {
  app.get(
    '/balance',
    {
      schema: { response: { 200: balanceAnswer } },
      config: {
        scope: 'any',
        documentation: {
          description: 'Check current credit balance',
          notes: 'The balance is less usage in progress that is not charged yet.',
        },
      },
    },
    async ({ caller }) => {
      const micros = await creditLeft(engine, caller.accountId)
      return {
        creditsRemaining: micros / 1_000_000,
        creditsRemainingUsdc: (micros / 1_000_000).toFixed(6),
        ...(caller.expiresAtMs === null ? {} : { tokenExpiresAt: isoTime(caller.expiresAtMs) }),
      }
    },
  )
}
