import { limits } from '../../config/limits.ts'
import { creditLeft } from '../../engine/money/credit/credit-left.ts'
import { isUnbilled } from '../../engine/money/credit/is-unbilled.ts'
import { readLimits } from '../../engine/identity/workspaces/workspace-limits.ts'
import type { Engine } from '../../engine/engine.ts'
import { snapshotStorage } from '../../engine/money/usage/snapshot-storage.ts'
import { storageUsed } from '../../engine/money/usage/storage-used.ts'
import { settleAccount } from '../../engine/money/usage/settle-usage.ts'
import { usageReport } from '../../engine/money/usage/usage-report.ts'
import type { App } from '../../http/app.ts'
import { isoTime } from '../iso-time.ts'
import { usageAnswer, usageQuery } from './schemas.ts'

/** Adds `GET /v1/usage`: the usage of the account up to the time of the request. */
export function addUsageRoutes(app: App, engine: Engine): void {
  app.get(
    '/v1/usage',
    {
      schema: { querystring: usageQuery, response: { 200: usageAnswer } },
      config: {
        scope: 'any',
        documentation: {
          description: 'The usage of the account, by day, computer, key and label',
          errors: ['limit_reached', 'unavailable'],
        },
      },
    },
    async ({ query, caller }) => {
      const days = Math.min(Number(query.days ?? 30), limits.usageReportDays)
      await settleAccount(engine, caller.accountId)
      const toMs = Date.now() + 1
      const fromMs = (Math.floor(toMs / dayMs) - days + 1) * dayMs
      const report = await usageReport(engine, caller.accountId, { fromMs, toMs })
      return {
        usage: {
          runtime_seconds: report.totals.find(({ meter }) => meter === 'compute')?.quantity ?? 0,
          storage_bytes: await storageUsed(engine, caller.accountId),
          snapshot_storage_bytes: await snapshotStorage(engine, caller.accountId),
          updated_at: isoTime(toMs),
        },
        from: isoTime(fromMs),
        to: isoTime(toMs),
        creditsRemaining: (await creditLeft(engine, caller.accountId)) / 1_000_000,
        billed: !isUnbilled(engine, caller.accountId),
        ...report,
        limits: (await readLimits(engine, caller.accountId)).map(({ tokenId, resetsAtMs, ...state }) => ({
          ...state,
          keyId: tokenId,
          resetsAt: isoTime(resetsAtMs),
        })),
      }
    },
  )
}

const dayMs = 86_400_000
