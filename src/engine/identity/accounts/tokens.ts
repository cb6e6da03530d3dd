import { hash, randomBytes } from 'node:crypto'
import type { Kysely } from 'kysely'
import { limits } from '../../../config/limits.ts'
import { lookup } from '../../../db/lookup.ts'
import type { Database, MembershipRow, TokenRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import type { Caller } from '../../caller.ts'
import { newId } from '../../ids.ts'

/** The scopes of a restricted token: to use computers, or to manage the account with its keys. */
export const scopes = ['compute', 'account'] as const
export type Scope = (typeof scopes)[number]

/** The beginnings of secrets. A family's secret is the `jti` of a JWT. */
const prefixes = { session: 'pp_sess_', api_key: 'ak_', family: '' } as const

interface NewToken {
  accountId: string
  userId?: string | null
  kind: TokenRow['kind']
  name: string
  /** Default: null, for everything. */
  scopes?: readonly Scope[] | null
  /** Default: the token does not expire. */
  lifeMs?: number | undefined
  /** The id of the session that this one is refreshed from. */
  refreshedFrom?: string
  /** The API key that creates this one, which expires no later than its parent. */
  parent?: { id: string; expiresAtMs: number | null } | undefined
}

/** Inserts a token. Returns its secret, 256 random bits, of which only the SHA-256 is stored. */
export async function insertToken(db: Kysely<Database>, token: NewToken): Promise<{ secret: string; row: TokenRow }> {
  const secret = newSecret(token.kind)
  const now = Date.now()
  const endsAtMs = Math.min(now + (token.lifeMs ?? Infinity), token.parent?.expiresAtMs ?? Infinity)
  const row: TokenRow = {
    id: newId(),
    account_id: token.accountId,
    user_id: token.userId ?? null,
    hash: hashOf(secret),
    kind: token.kind,
    name: token.name,
    scopes: token.scopes?.join(' ') ?? null,
    created_at: now,
    expires_at: Number.isFinite(endsAtMs) ? endsAtMs : null,
    revoked_at: null,
    last_used_at: null,
    refreshed_from: token.refreshedFrom ?? null,
    parent_id: token.parent?.id ?? null,
    replaced_hash: null,
    given_at: null,
  }
  await db.insertInto('tokens').values(row).execute()
  return { secret, row }
}

/** Creates an unrestricted session token of an account. Returns its secret. Default of `lifeMs`: it does not expire. */
export async function createToken(
  db: Kysely<Database>,
  accountId: string,
  name: string,
  lifeMs?: number,
): Promise<string> {
  return (await insertToken(db, { accountId, kind: 'session', name, lifeMs })).secret
}

export interface Authenticated extends Caller {
  /** null for a token without a user. */
  userId: string | null
  kind: TokenRow['kind']
  /** The user's role in the workspace; `owner` for a token without a user. */
  role: MembershipRow['role']
  /** null for everything. */
  scopes: readonly string[] | null
  /** null for a token that does not expire. */
  expiresAtMs: number | null
  /**
   * Verifies an issuer's token again, which is not stored here: throws `unauthenticated` once it is not valid any more.
   */
  verifyAgain?: () => Promise<unknown>
  /** The share by whose link a visitor came; undefined for callers with a token of their own. */
  shareId?: string
}

/** What each request reads of a token; `role` is null when the token has no user or the user is not a member. */
type KnownToken = Pick<
  TokenRow,
  'id' | 'account_id' | 'user_id' | 'kind' | 'scopes' | 'expires_at' | 'revoked_at' | 'last_used_at'
> & { role: MembershipRow['role'] | null }

const tokenByHash = lookup((db) => knownTokens(db).where('tokens.hash', '=', ''))
const tokenById = lookup((db) => knownTokens(db).where('tokens.id', '=', ''))

/** Returns the caller of a token. Throws `unauthenticated` when it is unknown, expired or revoked. */
export async function authenticateToken(db: Kysely<Database>, token: string): Promise<Authenticated> {
  const row = await tokenByHash(db, hashOf(token))
  // A refresh token authenticates no request.
  if (!row || row.kind === 'family') throw unauthenticated('the token is not known')
  return authenticatedBy(db, row)
}

/** Returns the caller of a token family, by the id that its access tokens carry. Throws as `authenticateToken` does. */
export async function authenticateFamily(db: Kysely<Database>, id: string): Promise<Authenticated> {
  const row = await tokenById(db, id)
  if (!row) throw unauthenticated('the token is not known')
  return authenticatedBy(db, row)
}

function authenticatedBy(db: Kysely<Database>, row: KnownToken): Authenticated | Promise<Authenticated> {
  const now = Date.now()
  if (row.revoked_at !== null) throw unauthenticated('the token was revoked')
  if (row.expires_at !== null && row.expires_at <= now) throw unauthenticated('the token has expired')
  if (row.user_id !== null && row.role === null) throw unauthenticated('its user has left the workspace')
  const caller: Authenticated = {
    accountId: row.account_id,
    tokenId: row.id,
    userId: row.user_id,
    kind: row.kind,
    role: row.role ?? 'owner',
    scopes: row.scopes?.split(' ') ?? null,
    expiresAtMs: row.expires_at,
  }
  return now - (row.last_used_at ?? 0) < limits.lastUsedPrecisionMs ? caller : touch(db, caller, now)
}

/** Records that the token was used now. */
async function touch(db: Kysely<Database>, caller: Authenticated, now: number): Promise<Authenticated> {
  await db.updateTable('tokens').set({ last_used_at: now }).where('id', '=', caller.tokenId).execute()
  return caller
}

/** Throws `forbidden` when the caller's token does not have the scope. */
export function assertScope(caller: Pick<Authenticated, 'scopes'>, scope: Scope): void {
  if (caller.scopes === null || caller.scopes.includes(scope)) return
  throw new CarrelError('forbidden', `Cannot use the token for this: it does not have the scope "${scope}"`, {
    details: { scope, scopes: caller.scopes },
  })
}

export function newSecret(kind: TokenRow['kind']): string {
  return prefixes[kind] + randomBytes(32).toString('base64url')
}

export function hashOf(secret: string): string {
  return hash('sha256', secret)
}

/** Returns the error of a refused credential. */
export function unauthenticated(reason: string, cause?: unknown): CarrelError {
  return new CarrelError('unauthenticated', `Cannot authenticate: ${reason}`, { cause })
}

function knownTokens(db: Kysely<Database>) {
  return db
    .selectFrom('tokens')
    .leftJoin('memberships', (join) =>
      join
        .onRef('memberships.account_id', '=', 'tokens.account_id')
        .onRef('memberships.user_id', '=', 'tokens.user_id'),
    )
    .select(['tokens.id', 'tokens.account_id', 'tokens.user_id', 'tokens.kind', 'tokens.scopes'])
    .select(['tokens.expires_at', 'tokens.revoked_at', 'tokens.last_used_at', 'memberships.role'])
}
