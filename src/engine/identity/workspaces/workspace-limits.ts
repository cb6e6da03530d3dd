import { limits } from '../../../config/limits.ts'
import { transaction } from '../../../db/transaction.ts'
import { wholeAccount } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { assertOwnDescendant, liveDescendants } from '../accounts/api-keys.ts'
import { assertRole } from '../accounts/roles.ts'
import type { Authenticated } from '../accounts/tokens.ts'
import { appendEvent } from '../../audit/append-event.ts'
import {
  limitStates,
  removeSpendingLimit,
  setSpendingLimit,
  type LimitState,
  type SpendingLimit,
} from '../../money/credit/spending-limits.ts'
import type { Context } from '../../context.ts'

/** A change of daily and monthly limits, in micro-dollars; null removes a limit, undefined leaves it as it is. */
export interface LimitChange {
  /** undefined for the workspace as a whole. */
  keyId?: string | undefined
  dayMicros?: number | null | undefined
  monthMicros?: number | null | undefined
}

export interface KeyLimit extends LimitState {
  /** The name of the API key; undefined for the workspace as a whole. */
  name?: string | undefined
}

/** Returns the limits of a workspace and of its API keys, with what is spent of each; revoked keys are left out. */
export async function readLimits({ db }: Pick<Context, 'db'>, accountId: string): Promise<KeyLimit[]> {
  const states = await limitStates(db, accountId)
  const keys = new Map((await keysOf(db, accountId)).map(({ id, name }) => [id, name]))
  return states.flatMap((state) => {
    if (state.tokenId === undefined) return [state]
    const name = keys.get(state.tokenId)
    return name === undefined ? [] : [{ ...state, name }]
  })
}

/**
 * Sets and removes limits of the caller's workspace and of its API keys, all or nothing; returns all limits. Throws
 * `forbidden` unless the caller is an admin; an API key can only tighten the limits of itself and its descendants, or
 * it could stop the work of others. Throws `not_found` for a key of another workspace, and `conflict` for a key that
 * has created others, since they would have no limit.
 */
export async function changeLimits(
  engine: Pick<Context, 'db'>,
  caller: Authenticated,
  changes: readonly LimitChange[],
): Promise<KeyLimit[]> {
  assertRole(caller, 'admin')
  const { accountId, tokenId: actor } = caller
  await transaction(engine.db, { kind: 'operational', queue: actor }, async (trx) => {
    const known = new Set((await keysOf(trx, accountId)).map(({ id }) => id))
    for (const { keyId, dayMicros, monthMicros } of changes) {
      if (keyId !== undefined && !known.has(keyId))
        throw new CarrelError('not_found', `Cannot limit API key "${keyId}": the workspace has no such key`)
      if (dayMicros === undefined && monthMicros === undefined) continue
      await assertOwnDescendant(trx, caller, keyId, "limit others' spending")
      for (const [period, limitMicros] of [['day', dayMicros] as const, ['month', monthMicros] as const]) {
        if (limitMicros === undefined) continue
        if (caller.kind === 'api_key') await assertTighter(trx, accountId, { tokenId: keyId, period, limitMicros })
        if (keyId !== undefined && limitMicros !== null) await assertHasNoDescendants(trx, accountId, keyId)
        if (limitMicros === null) await removeSpendingLimit(trx, accountId, { tokenId: keyId, period })
        else await setSpendingLimit(trx, accountId, { tokenId: keyId, period, limitMicros })
        const data = { keyId: keyId ?? null, period, limitMicros }
        await appendEvent(trx, { accountId, type: 'spending_limit.changed', actor, data })
      }
    }
    await pruneRevokedLimits(trx, accountId, known)
  })
  return readLimits(engine, accountId)
}

/**
 * Deletes the oldest limits of revoked keys. The newest still limit what a revoked key left running; without a bound
 * their number would grow with every key that comes and goes.
 */
async function pruneRevokedLimits(db: Context['db'], accountId: string, live: ReadonlySet<string>): Promise<void> {
  const rows = await db
    .selectFrom('spending_limits')
    .select(['token_id', 'period'])
    .where('account_id', '=', accountId)
    .where('token_id', '!=', wholeAccount)
    .orderBy('updated_at', 'desc')
    .execute()
  const old = rows.filter(({ token_id }) => !live.has(token_id)).slice(limits.revokedKeyLimits)
  for (const { token_id: tokenId, period } of old) await removeSpendingLimit(db, accountId, { tokenId, period })
}

/**
 * Throws `conflict` when the key has created others: a limited key creates none, and a key that has created others gets
 * no limit.
 */
async function assertHasNoDescendants(db: Context['db'], accountId: string, keyId: string): Promise<void> {
  const descendants = (await liveDescendants(db, accountId, keyId)).filter((id) => id !== keyId)
  if (descendants.length === 0) return
  throw new CarrelError(
    'conflict',
    `Cannot limit API key "${keyId}": it has created others, which would have no limit; revoke them first, or limit the workspace`,
    { details: { keys: descendants } },
  )
}

/** Throws `forbidden` unless the change tightens the limit: the key that it is set for must not lift it. */
async function assertTighter(
  db: Context['db'],
  accountId: string,
  { tokenId = wholeAccount, period, limitMicros }: Omit<SpendingLimit, 'limitMicros'> & { limitMicros: number | null },
): Promise<void> {
  const row = await db
    .selectFrom('spending_limits')
    .select('limit_micros')
    .where('account_id', '=', accountId)
    .where('token_id', '=', tokenId)
    .where('period', '=', period)
    .executeTakeFirst()
  if (!row || (limitMicros !== null && limitMicros <= Number(row.limit_micros))) return
  throw new CarrelError('forbidden', 'Cannot raise a limit with an API key: this takes the token of a sign-in')
}

function keysOf(db: Context['db'], accountId: string): Promise<{ id: string; name: string }[]> {
  return db
    .selectFrom('tokens')
    .select(['id', 'name'])
    .where('account_id', '=', accountId)
    .where('kind', '=', 'api_key')
    .where('revoked_at', 'is', null)
    .execute()
}
