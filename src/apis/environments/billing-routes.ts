import type { Static } from 'typebox'
import { meterUnits, type PriceBook } from '../../config/price-book.ts'
import { creditLeft } from '../../engine/money/credit/credit-left.ts'
import type { Engine } from '../../engine/engine.ts'
import { profileOf } from '../../engine/identity/accounts/users.ts'
import { microsPerCent } from '../../engine/money/ledger/top-up.ts'
import { totalsOf } from '../../engine/money/ledger/totals.ts'
import { startPayment } from '../../engine/money/payments/start-payment.ts'
import { settleAccount } from '../../engine/money/usage/settle-usage.ts'
import { usageHistory, type UsedInterval } from '../../engine/money/usage/usage-history.ts'
import { moneyHistory, type MoneyHistory, type MoneyMove } from '../../engine/environments/sessions/money-history.ts'
import { CarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { isoTime } from '../iso-time.ts'
import { balanceAnswer, depositAnswer, depositBody, pricingAnswer, usageAnswer, usageQuery } from './schemas.ts'

/**
 * Adds the billing routes. This surface counts in whole cents: it rounds balance and deposits down, and spending up.
 */
export function addBillingRoutes(app: App, engine: Engine): void {
  app.get(
    '/billing/balance',
    {
      schema: { response: { 200: balanceAnswer } },
      config: {
        scope: 'any',
        documentation: {
          description: "Get user's money balance",
          notes: 'In cents.',
        },
      },
    },
    async ({ caller }) => {
      const { id, createdAtMs } = await profileOf(engine, caller)
      const { balance, deposited, spent, lastAtMs } = await totals(caller.accountId)
      return {
        user_id: id,
        balance,
        total_deposited: deposited,
        total_spent: spent,
        stripe_customer_id: null,
        last_updated: isoTime(lastAtMs ?? createdAtMs),
      }
    },
  )
  app.get(
    '/billing/pricing',
    {
      schema: { response: { 200: pricingAnswer } },
      config: {
        public: true,
        documentation: {
          description: 'Get current pricing information',
        },
      },
    },
    async () => pricingOf(engine.prices),
  )
  app.post(
    '/billing/deposit',
    {
      schema: { body: depositBody(engine.prices), response: { 200: depositAnswer } },
      config: {
        // Every token that can spend an account's credit can add to it.
        scope: 'any',
        idempotent: true,
        documentation: {
          description: 'Create a payment intent for money deposit',
          notes: 'The user pays at checkout_url; GET /billing/balance shows the deposit shortly after the payment.',
          example: { amount_cents: 2000 },
          errors: ['not_set_up', 'limit_reached', 'unavailable'],
        },
      },
    },
    async ({ body, caller }) => {
      const { url, quote } = await startPayment(
        engine,
        caller,
        { amountCents: body.amount_cents },
        engine.prices.minimumDepositCents,
      )
      return { checkout_url: url, amount_cents: quote.amountCents, currency: 'usd' }
    },
  )
  app.get(
    '/billing/usage',
    {
      schema: { querystring: usageQuery, response: { 200: usageAnswer } },
      config: {
        scope: 'any',
        documentation: {
          description: 'Get complete usage history for the current user',
          notes:
            'Select a page by its number, or send the "next" of the previous page as "after": new items do not shift those pages.',
          errors: ['limit_reached', 'unavailable'],
        },
      },
    },
    async ({ query, caller }) => {
      const [page, limit] = [Number(query.page ?? 1), Number(query.limit ?? 25)]
      const { balance, deposited, spent } = await totals(caller.accountId)
      const place = query.after === undefined ? { page } : { after: query.after }
      const { count, intervals, next } = await usageHistory(engine, caller.accountId, { ...place, limit })
      return {
        current_balance_cents: balance,
        total_deposits_cents: deposited,
        total_usage_cents: spent,
        page,
        limit,
        total_count: count,
        has_more: next !== undefined,
        next: next ?? null,
        items: intervals.map(itemOf),
        ...transactionsOf(
          await moneyHistory(engine, caller.accountId, { page, limit, ...wantedOf(query) }),
          page,
          limit,
        ),
      }
    },
  )

  async function totals(accountId: string) {
    // Gives the first credit to an account that another program has created in the database.
    await creditLeft(engine, accountId)
    await settleAccount(engine, accountId)
    const { balanceMicros, depositedMicros, spentMicros, lastAtMs } = await totalsOf(engine, accountId)
    return {
      balance: Math.floor(balanceMicros / microsPerCent),
      deposited: Math.floor(depositedMicros / microsPerCent),
      spent: Math.ceil(spentMicros / microsPerCent),
      lastAtMs,
    }
  }
}

function itemOf(interval: UsedInterval): Static<typeof usageAnswer>['items'][number] {
  const { shown, perShown } = meterUnits[interval.meter]
  return {
    meter: interval.meter,
    quantity: interval.quantity / perShown,
    unit: shown,
    amount_cents: interval.amountMicros / microsPerCent,
    computer_id: interval.computerId ?? '',
    started_at: isoTime(interval.startedAtMs),
    ended_at: isoTime(interval.endedAtMs),
  }
}

const transactionTypes = ['deposit', 'session_usage', 'refund'] as const

function wantedOf({ start_date: start, end_date: end, transaction_types: types }: Static<typeof usageQuery>) {
  return {
    fromMs: start === undefined ? undefined : timeOf(start, 'start_date'),
    toMs: end === undefined ? undefined : timeOf(end, 'end_date'),
    types: types === undefined ? transactionTypes : [types].flat(),
  }
}

function timeOf(text: string, field: string): number {
  const timeMs = Date.parse(text)
  if (!Number.isNaN(timeMs)) return timeMs
  throw new CarrelError('invalid_request', `Cannot use field "${field}": it is not a time in ISO 8601`, {
    details: { field },
  })
}

function transactionsOf({ moves, count, sessions }: MoneyHistory, page: number, limit: number) {
  const pages = Math.ceil(count / limit)
  return {
    transactions: moves.map(transactionOf),
    summary: {
      total_sessions: sessions.count,
      average_session_cost_cents: sessions.count === 0 ? 0 : sessions.amountMicros / microsPerCent / sessions.count,
      total_session_duration_minutes: sessions.durationMs / minuteMs,
    },
    pagination: {
      current_page: page,
      total_pages: pages,
      total_items: count,
      items_per_page: limit,
      has_previous: page > 1,
      has_next: page < pages,
    },
  }
}

function transactionOf({ id, type, amountMicros, atMs, durationMs, sample }: MoneyMove) {
  const isSession = type === 'session_usage'
  return {
    id,
    type,
    amount_cents: amountMicros / microsPerCent,
    description: isSession ? `Session on ${sample}` : type === 'refund' ? 'Refund' : 'Deposit',
    created_at: isoTime(atMs),
    session_id: isSession ? id : null,
    duration_minutes: durationMs === null ? null : durationMs / minuteMs,
  }
}

const minuteMs = 60_000

function pricingOf(prices: PriceBook): Static<typeof pricingAnswer> {
  return {
    currency: 'usd',
    minimum_deposit_cents: prices.minimumDepositCents,
    maximum_deposit_cents: prices.maximumTopUpCents,
    new_account_cents: prices.newAccountMicros / microsPerCent,
    rates: Object.entries(prices.meters).map(([meter, { micros, per }]) => {
      const { shown, perShown } = meterUnits[meter as keyof typeof meterUnits]
      return { meter, unit: shown, cents_per_unit: (micros * perShown) / per / microsPerCent }
    }),
    cost_per_minute_cents: perMinuteMicros(prices) / microsPerCent,
    cost_per_minute_dollars: perMinuteMicros(prices) / 1_000_000,
    packages: Object.entries(prices.tiers).map(([name, { cents, bonusPercent }]) => ({
      name,
      amount_cents: cents,
      bonus_percent: bonusPercent,
    })),
  }
}

/** Returns what a minute of compute costs, which is what a session is charged for. */
function perMinuteMicros({ meters: { compute } }: PriceBook): number {
  return (compute.micros * minuteMs) / compute.per
}
