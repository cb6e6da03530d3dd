import { limits } from '../../../config/limits.ts'
import { wholeAccount } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { assertOwnLine, openDescendants } from '../accounts/api-keys.ts'
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

/** What may be spent in a day and in a month, in micro-dollars; null is no limit, undefined is as it was. */
export interface LimitChange {
  /** undefined for the workspace as a whole. */
  keyId?: string | undefined
  dayMicros?: number | null | undefined
  monthMicros?: number | null | undefined
}

export interface KeyLimit extends LimitState {
  /** How the API key is called; undefined for the workspace as a whole. */
  name?: string | undefined
}

/** The limits of a workspace and of its API keys, with what is spent of each. Those of keys that were revoked are not told. */
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
 * Sets and takes away limits of the caller's workspace and of its API keys, all or nothing. It takes an admin; an API key can only tighten
 * those of its own and of keys that came of it (`forbidden`), or it would stop everybody else's work. Rejects with `not_found` for a key that is none of the workspace, and with `conflict` for one that has made
 * others: they would have no limit.
 */
export async function changeLimits(
  engine: Pick<Context, 'db'>,
  caller: Authenticated,
  changes: readonly LimitChange[],
): Promise<KeyLimit[]> {
  assertRole(caller, 'admin')
  const { accountId, tokenId: actor } = caller
  await engine.db.transaction().execute(async (trx) => {
    const known = new Set((await keysOf(trx, accountId)).map(({ id }) => id))
    for (const { keyId, dayMicros, monthMicros } of changes) {
      if (keyId !== undefined && !known.has(keyId))
        throw new CarrelError('not_found', `Cannot limit API key "${keyId}": the workspace has no such key`)
      if (dayMicros === undefined && monthMicros === undefined) continue
      await assertOwnLine(trx, caller, keyId, "limit others' spending")
      for (const [period, limitMicros] of [['day', dayMicros] as const, ['month', monthMicros] as const]) {
        if (limitMicros === undefined) continue
        if (caller.kind === 'api_key') await assertTighter(trx, accountId, { tokenId: keyId, period, limitMicros })
        if (keyId !== undefined && limitMicros !== null) await assertMadeNone(trx, accountId, keyId)
        if (limitMicros === null) await removeSpendingLimit(trx, accountId, { tokenId: keyId, period })
        else await setSpendingLimit(trx, accountId, { tokenId: keyId, period, limitMicros })
        const data = { keyId: keyId ?? null, period, limitMicros }
        await appendEvent(trx, { accountId, type: 'spending_limit.changed', actor, data })
      }
    }
    await forgetOldLimits(trx, accountId, known)
  })
  return readLimits(engine, accountId)
}

/** What a revoked key left running is still limited; but of keys that come and go there would be ever more limits, so the oldest are forgotten. */
async function forgetOldLimits(db: Context['db'], accountId: string, live: ReadonlySet<string>): Promise<void> {
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

/** A key that has a limit makes no others, and one that made others gets none. */
async function assertMadeNone(db: Context['db'], accountId: string, keyId: string): Promise<void> {
  const made = (await openDescendants(db, accountId, keyId)).filter((id) => id !== keyId)
  if (made.length === 0) return
  throw new CarrelError(
    'conflict',
    `Cannot limit API key "${keyId}": it has made others, which would have no limit; revoke them first, or limit the workspace`,
    { details: { keys: made } },
  )
}

/** Who a limit is set for must not lift it. */
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
  throw new CarrelError('forbidden', 'Cannot raise a limit with an API key: it takes the token of a sign-in')
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
