import type { Static } from 'typebox'
import { CarrelError } from '../../errors.ts'
import type { KeyLimit, LimitChange } from '../../engine/identity/workspaces/workspace-limits.ts'
import type { preferencesAnswer, preferencesBody } from './schemas.ts'

type Preferences = Static<typeof preferencesBody>

/** Returns the limits that a request changes: null removes one, and what is left out stays as it is. */
export function changeOf(asked: Pick<Preferences, 'daily_limit_cents' | 'monthly_limit_cents'>): LimitChange {
  const micros = (value: number | null | undefined) => (value == null ? value : value * microsPerCent)
  return { dayMicros: micros(asked.daily_limit_cents), monthMicros: micros(asked.monthly_limit_cents) }
}

/**
 * Returns the change that preferences of a workspace ask for. Throws `not_set_up` for automatic reloads, and
 * `invalid_request` for two different monthly limits.
 */
export function ownChangeOf({
  auto_reload_enabled: reloads,
  monthly_spend_limit_cents: spendLimit,
  ...asked
}: Omit<Preferences, 'keys'>): LimitChange {
  if (reloads)
    throw new CarrelError('not_set_up', 'Cannot turn on automatic reloads: this server never tops up by itself', {
      details: { field: 'auto_reload_enabled' },
    })
  if (spendLimit === undefined) return changeOf(asked)
  const monthly = spendLimit === 0 ? null : spendLimit
  if (asked.monthly_limit_cents !== undefined && asked.monthly_limit_cents !== monthly)
    throw new CarrelError('invalid_request', 'Cannot set two monthly limits: send one of the two fields', {
      details: { field: 'monthly_spend_limit_cents' },
    })
  return changeOf({ ...asked, monthly_limit_cents: monthly })
}

/** Returns what is told of automatic reloads, which this server does not have, with the monthly spending limit. */
export function autoReloadOf(states: KeyLimit[]) {
  const month = states.find(({ tokenId, period }) => tokenId === undefined && period === 'month')
  return {
    enabled: false,
    balance_threshold_cents: 0,
    reload_amount_cents: 0,
    monthly_spend_limit_cents: (month?.limitMicros ?? 0) / microsPerCent,
    monthly_reload_limit: 0,
  }
}

/** Returns the limits of a workspace and of its API keys, in cents, with what is spent of each. */
export function preferencesOf(workspaceId: string, states: KeyLimit[]): Static<typeof preferencesAnswer> {
  const keyIds = new Set(states.flatMap(({ tokenId }) => tokenId ?? []))
  return {
    workspace_id: workspaceId,
    ...fieldsOf(states.filter(({ tokenId }) => tokenId === undefined)),
    auto_reload: autoReloadOf(states),
    keys: [...keyIds].map((keyId) => {
      const own = states.filter(({ tokenId }) => tokenId === keyId)
      return { key_id: keyId, name: own[0]?.name ?? '', ...fieldsOf(own) }
    }),
  }
}

function fieldsOf(states: KeyLimit[]) {
  const [day, month] = (['day', 'month'] as const).map((period) => states.find((state) => state.period === period))
  const asCents = (micros: number | undefined) => (micros === undefined ? null : micros / microsPerCent)
  return {
    daily_limit_cents: asCents(day?.limitMicros),
    daily_spent_cents: asCents(day?.spentMicros),
    monthly_limit_cents: asCents(month?.limitMicros),
    monthly_spent_cents: asCents(month?.spentMicros),
  }
}

const microsPerCent = 10_000
