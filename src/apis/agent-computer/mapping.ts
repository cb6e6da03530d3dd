import type { Static } from 'typebox'
import type { KeyLimit, LimitChange } from '../../engine/identity/workspaces/workspace-limits.ts'
import type { preferencesAnswer, preferencesBody } from './schemas.ts'

/** Returns the limits that a request changes: null removes one, and what is left out stays as it is. */
export function changeOf(asked: Omit<Static<typeof preferencesBody>, 'keys'>): LimitChange {
  const micros = (value: number | null | undefined) => (value == null ? value : value * microsPerCent)
  return { dayMicros: micros(asked.daily_limit_cents), monthMicros: micros(asked.monthly_limit_cents) }
}

/** Returns the limits of a workspace and of its API keys, in cents, with what is spent of each. */
export function preferencesOf(workspaceId: string, states: KeyLimit[]): Static<typeof preferencesAnswer> {
  const keyIds = new Set(states.flatMap(({ tokenId }) => tokenId ?? []))
  return {
    workspace_id: workspaceId,
    ...fieldsOf(states.filter(({ tokenId }) => tokenId === undefined)),
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
