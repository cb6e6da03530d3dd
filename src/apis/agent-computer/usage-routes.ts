import { Type } from 'typebox'
import { limits } from '../../config/limits.ts'
import { creditLeft } from '../../engine/money/credit/credit-left.ts'
import { isUnbilled } from '../../engine/money/credit/is-unbilled.ts'
import { readLimits } from '../../engine/identity/workspaces/workspace-limits.ts'
import type { Engine } from '../../engine/engine.ts'
import { settleAccount } from '../../engine/money/usage/settle-usage.ts'
import { usageReport } from '../../engine/money/usage/usage-report.ts'
import type { App } from '../../http/app.ts'
import { patterns } from '../../http/patterns.ts'

const line = Type.Object({
  of: Type.String({ description: 'The day, or the id of the computer or token; empty where it is not known' }),
  name: Type.Optional(
    Type.String({ description: 'How the computer or token is called; empty for the default sandbox' }),
  ),
  rest: Type.Optional(
    Type.Boolean({
      description: `True for all those together that have no line of their own: beyond the ${limits.usageReportLines} dearest, or beyond the first ${limits.usageLinesPerDay} of a day`,
    }),
  ),
  meter: Type.String({ description: 'compute, browser, neurons, storage_hot or storage_cold' }),
  quantity: Type.Number(),
  unit: Type.String({ description: 's, neurons or GiB-h' }),
  amountMicros: Type.Integer({ description: 'What it cost: 1,000,000 is a US dollar' }),
})
const lines = Type.Array(line)

const usageQuery = Type.Object(
  {
    days: Type.Optional(
      Type.String({ description: 'How many days up to today, in UTC; 30 by default', pattern: patterns.days.source }),
    ),
  },
  { additionalProperties: false },
)

const limit = Type.Object({
  keyId: Type.Optional(Type.String({ description: 'The API key that it is of; the workspace as a whole without it' })),
  name: Type.Optional(Type.String({ description: 'How the key is called' })),
  period: Type.String({ description: 'day or month, in UTC' }),
  limitMicros: Type.Integer(),
  spentMicros: Type.Integer(),
  resetsAt: Type.String(),
})

const usageAnswer = Type.Object({
  from: Type.String(),
  to: Type.String(),
  creditsRemaining: Type.Number({ description: 'US dollars' }),
  billed: Type.Boolean({ description: 'False for an account whose use is shown but not charged' }),
  totals: lines,
  byDay: lines,
  byComputer: lines,
  byKey: lines,
  byLabel: lines,
  limits: Type.Array(limit, { description: 'Spending limits, with what is spent of each' }),
})

/** `GET /v1/usage`: what the account used, up to now. */
export function addUsageRoutes(app: App, engine: Engine): void {
  app.get(
    '/v1/usage',
    {
      schema: { querystring: usageQuery, response: { 200: usageAnswer } },
      config: {
        scope: 'any',
        documentation: {
          description: 'What the account used, by day, computer, key and label',
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
        from: new Date(fromMs).toISOString(),
        to: new Date(toMs).toISOString(),
        creditsRemaining: (await creditLeft(engine, caller.accountId)) / 1_000_000,
        billed: !isUnbilled(engine, caller.accountId),
        ...report,
        limits: (await readLimits(engine, caller.accountId)).map(({ tokenId, resetsAtMs, ...state }) => ({
          ...state,
          keyId: tokenId,
          resetsAt: new Date(resetsAtMs).toISOString(),
        })),
      }
    },
  )
}

const dayMs = 86_400_000
