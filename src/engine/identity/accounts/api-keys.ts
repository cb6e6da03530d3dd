import type { Kysely, Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import { transaction } from '../../../db/transaction.ts'
import type { Database, TokenRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { invalidTokens } from './invalid-tokens.ts'
import { assertRole, roleOf } from './roles.ts'
import { assertScope, insertToken, unauthenticated, type Authenticated, type Scope } from './tokens.ts'
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
  /** Default: those of the caller's token. */
  scopes?: Scope[] | undefined
  /** Default: the key does not expire. */
  lifeMs?: number | undefined
}

/**
 * Creates a key of the caller's workspace, for programs; returns its secret this once. The key can do no more than the
 * token that creates it, nor than the user who creates it may do in the workspace, and ends when that user leaves. A
 * key that an API key creates ends with that one and expires no later. Throws `forbidden` unless the caller is an admin
 * whose token has the scopes, and for an API key with a spending limit, since the new key would have no limit; and
 * `limit_reached` when the workspace has 100 keys.
 */
export async function createApiKey(
  engine: Pick<Context, 'db'>,
  caller: Authenticated,
  { name, scopes, lifeMs }: NewApiKey,
): Promise<ApiKey & { secret: string }> {
  assertRole(caller, 'admin')
  for (const scope of scopes ?? []) assertScope(caller, scope)
  return transaction(engine.db, { kind: 'operational', queue: caller.accountId }, async (trx) => {
    await assertStillAllowed(trx, caller)
    if (await hasLimit(trx, caller))
      throw new CarrelError(
        'forbidden',
        'Cannot create an API key with one that has a spending limit: sign in to do this',
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

/** Checks the caller again in this transaction: an ended key or a lost role must not create a key any more. */
async function assertStillAllowed(trx: Transaction<Database>, caller: Authenticated): Promise<void> {
  const { accountId, tokenId, userId } = caller
  if (caller.kind === 'api_key' && (await invalidTokens(trx, [tokenId])).size > 0)
    throw unauthenticated('the token is no longer valid')
  if (userId === null) return
  const role = await roleOf(trx, accountId, userId)
  if (role === undefined) throw unauthenticated('its user has left the workspace')
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

/** Returns the keys that are not revoked, the newest first. */
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
 * Revokes a key and all its descendants: the keys that it created, and those that they created. They are refused from
 * the next request on. Throws `forbidden` unless the caller is an admin, and for an API key that would revoke another
 * than itself and its descendants; and `not_found` when the account has no such key.
 */
export async function revokeApiKey(
  engine: Pick<IdentityContext, 'db' | 'liveConnections'>,
  caller: Authenticated,
  id: string,
): Promise<void> {
  assertRole(caller, 'admin')
  const { accountId, tokenId: actor } = caller
  await transaction(engine.db, { kind: 'operational', queue: actor }, async (trx) => {
    const open = await liveDescendants(trx, accountId, id)
    if (!open.includes(id))
      throw new CarrelError('not_found', `Cannot revoke API key "${id}": the account has no such key`)
    await assertOwnDescendant(trx, caller, id, 'revoke another key')
    await trx.updateTable('tokens').set({ revoked_at: Date.now() }).where('id', 'in', open).execute()
    for (const keyId of open) {
      const data = keyId === id ? { keyId } : { keyId, with: id }
      await appendEvent(trx, { accountId, type: 'api_key.revoked', actor, data })
    }
  })
  await engine.liveConnections.endLapsed()
}

/**
 * Throws `forbidden` for an API key, unless `keyId` is that key or one of its descendants: a key that leaks from a
 * program must not end the work of others. `keyId` undefined is the whole workspace; `doing` is the rest of the
 * sentence after "Cannot".
 */
export async function assertOwnDescendant(
  db: Kysely<Database>,
  { kind, accountId, tokenId }: Authenticated,
  keyId: string | undefined,
  doing: string,
): Promise<void> {
  if (kind !== 'api_key') return
  if (keyId !== undefined && (await liveDescendants(db, accountId, tokenId)).includes(keyId)) return
  throw new CarrelError('forbidden', `Cannot ${doing} with an API key: this takes the token of a sign-in`)
}

/** Returns a key and all its descendants that are not revoked; a workspace has at most 100. */
export async function liveDescendants(db: Kysely<Database>, accountId: string, keyId: string): Promise<string[]> {
  const rows = await db
    .withRecursive('descendants', (eb) =>
      eb
        .selectFrom('tokens')
        .select('id')
        .where('id', '=', keyId)
        .union((of) =>
          of.selectFrom('tokens').innerJoin('descendants', 'descendants.id', 'tokens.parent_id').select('tokens.id'),
        ),
    )
    .selectFrom('tokens')
    .select('id')
    .where('id', 'in', (eb) => eb.selectFrom('descendants').select('descendants.id'))
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
