import type { Kysely, Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import type { Database, TokenRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { invalidTokens } from './invalid-tokens.ts'
import { assertRole, roleOf } from './roles.ts'
import { assertScope, insertToken, refusal, type Authenticated, type Scope } from './tokens.ts'
import type { Context } from '../../context.ts'
import type { IdentityContext } from '../identity.ts'

export interface ApiKey {
  id: string
  name: string
  /** null for everything. */
  scopes: string[] | null
  createdAtMs: number
  /** To the minute; null when it was never used. */
  lastUsedAtMs: number | null
  expiresAtMs: number | null
}

interface NewApiKey {
  name: string
  /** Default: those of the caller's own token. */
  scopes?: Scope[] | undefined
  /** undefined is for ever. */
  lifeMs?: number | undefined
}

/**
 * A key of the caller's workspace, for programs; its secret is told this once. It takes an admin, and can do no more than the token that
 * makes it (`forbidden`), nor than the person who makes it may there: it ends when they leave. One that a key makes ends with that one, at
 * its end at the latest, and a key that has a spending limit makes none, which would have no limit. A workspace has at most 100
 * (`limit_reached`).
 */
export async function createApiKey(
  engine: Pick<Context, 'db'>,
  caller: Authenticated,
  { name, scopes, lifeMs }: NewApiKey,
): Promise<ApiKey & { secret: string }> {
  assertRole(caller, 'admin')
  for (const scope of scopes ?? []) assertScope(caller, scope)
  return engine.db.transaction().execute(async (trx) => {
    await assertStillMay(trx, caller)
    if (await hasLimit(trx, caller))
      throw new CarrelError(
        'forbidden',
        'Cannot create an API key with one that has a spending limit: sign in for that',
      )
    const { count } = await trx
      .selectFrom('tokens')
      .select((eb) => eb.fn.countAll().as('count'))
      .where('account_id', '=', caller.accountId)
      .where('kind', '=', 'api_key')
      .where('revoked_at', 'is', null)
      .executeTakeFirstOrThrow()
    if (Number(count) >= limits.apiKeysPerAccount)
      throw new CarrelError(
        'limit_reached',
        `Cannot create an API key: the account has ${limits.apiKeysPerAccount}, which is the limit`,
        { details: { limit: limits.apiKeysPerAccount } },
      )
    const { secret, row } = await insertToken(trx, {
      accountId: caller.accountId,
      userId: caller.userId,
      kind: 'api_key',
      name,
      scopes: scopes ?? (caller.scopes as Scope[] | null),
      lifeMs,
      parent: caller.kind === 'api_key' ? { id: caller.tokenId, expiresAtMs: caller.expiresAtMs } : undefined,
    })
    await appendEvent(trx, {
      accountId: caller.accountId,
      type: 'api_key.created',
      actor: caller.tokenId,
      data: { keyId: row.id },
    })
    return { ...keyOf(row), secret }
  })
}

/** As of this transaction: what ends a key or takes a role ends what came of it, so nothing may come of it any more. */
async function assertStillMay(trx: Transaction<Database>, caller: Authenticated): Promise<void> {
  const { accountId, tokenId, userId } = caller
  if (caller.kind === 'api_key' && (await invalidTokens(trx, [tokenId])).size > 0)
    throw refusal('the token is no longer valid')
  if (userId === null) return
  const role = await roleOf(trx, accountId, userId)
  if (role === undefined) throw refusal('its person has left the workspace')
  assertRole({ role }, 'admin')
}

async function hasLimit(db: Context['db'], { accountId, tokenId }: Authenticated): Promise<boolean> {
  const row = await db
    .selectFrom('spending_limits')
    .select('period')
    .where('account_id', '=', accountId)
    .where('token_id', '=', tokenId)
    .executeTakeFirst()
  return row !== undefined
}

/** Those that are not revoked, the newest first. */
export async function listApiKeys(engine: Pick<Context, 'db'>, accountId: string): Promise<ApiKey[]> {
  const rows = await engine.db
    .selectFrom('tokens')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('kind', '=', 'api_key')
    .where('revoked_at', 'is', null)
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .execute()
  return rows.map(keyOf)
}

/**
 * Refuses a key from the next request on, and with it those that it made, and those that they made. It takes an admin; an API key ends
 * none but itself and those that came of it (`forbidden`). Rejects with `not_found` when the account has no such key.
 */
export async function revokeApiKey(
  engine: Pick<IdentityContext, 'db' | 'liveConnections'>,
  caller: Authenticated,
  id: string,
): Promise<void> {
  assertRole(caller, 'admin')
  const { accountId, tokenId: actor } = caller
  await engine.db.transaction().execute(async (trx) => {
    const open = await openDescendants(trx, accountId, id)
    if (!open.includes(id))
      throw new CarrelError('not_found', `Cannot revoke API key "${id}": the account has no such key`)
    await assertOwnLine(trx, caller, id, 'revoke another key')
    await trx.updateTable('tokens').set({ revoked_at: Date.now() }).where('id', 'in', open).execute()
    for (const keyId of open) {
      const data = keyId === id ? { keyId } : { keyId, with: id }
      await appendEvent(trx, { accountId, type: 'api_key.revoked', actor, data })
    }
  })
  await engine.liveConnections.endLapsed()
}

/**
 * Rejects with `forbidden` for an API key, unless it is about that key or one that came of it: what leaks of a program must not end
 * the work of others. `keyId` undefined is the whole workspace, `doing` the sentence after "Cannot".
 */
export async function assertOwnLine(
  db: Kysely<Database>,
  { kind, accountId, tokenId }: Authenticated,
  keyId: string | undefined,
  doing: string,
): Promise<void> {
  if (kind !== 'api_key') return
  if (keyId !== undefined && (await openDescendants(db, accountId, tokenId)).includes(keyId)) return
  throw new CarrelError('forbidden', `Cannot ${doing} by an API key: that takes the token of a sign-in`)
}

/** A key and all that came of it, as far as they are not revoked: a workspace has 100 at most. */
export async function openDescendants(db: Kysely<Database>, accountId: string, keyId: string): Promise<string[]> {
  const rows = await db
    .withRecursive('line', (eb) =>
      eb
        .selectFrom('tokens')
        .select('id')
        .where('id', '=', keyId)
        .union((of) => of.selectFrom('tokens').innerJoin('line', 'line.id', 'tokens.parent_id').select('tokens.id')),
    )
    .selectFrom('tokens')
    .select('id')
    .where('id', 'in', (eb) => eb.selectFrom('line').select('line.id'))
    .where('account_id', '=', accountId)
    .where('kind', '=', 'api_key')
    .where('revoked_at', 'is', null)
    .execute()
  return rows.map(({ id }) => id)
}

function keyOf(row: TokenRow): ApiKey {
  return {
    id: row.id,
    name: row.name,
    scopes: row.scopes?.split(' ') ?? null,
    createdAtMs: row.created_at,
    lastUsedAtMs: row.last_used_at,
    expiresAtMs: row.expires_at,
  }
}
