import { hash, randomBytes } from 'node:crypto'
import type { Kysely } from 'kysely'
import { limits } from '../../../config/limits.ts'
import { lookup } from '../../../db/lookup.ts'
import type { Database, MembershipRow, TokenRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import type { Caller } from '../../caller.ts'
import { newId } from '../../ids.ts'

/** What a token that is not for everything may do: use computers, or manage the account with its keys. */
export const scopes = ['compute', 'account'] as const
export type Scope = (typeof scopes)[number]

/** What a family is known by travels in a JWT. */
const prefixes = { session: 'pp_sess_', api_key: 'ak_', family: '' } as const

interface NewToken {
  accountId: string
  userId?: string | null
  kind: TokenRow['kind']
  name: string
  /** null for everything. */
  scopes?: readonly Scope[] | null
  /** undefined is for ever. */
  lifeMs?: number | undefined
  /** The id of a session that is renewed. */
  refreshedFrom?: string
  /** The API key that makes this one, beyond whose end it does not last. */
  parent?: { id: string; expiresAtMs: number | null } | undefined
}

/** A new secret: 256 random bits, of which only the SHA-256 is stored. */
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

/** A session token of an account that is for everything. `lifeMs` undefined is for ever. */
export async function createToken(
  db: Kysely<Database>,
  accountId: string,
  name: string,
  lifeMs?: number,
): Promise<string> {
  return (await insertToken(db, { accountId, kind: 'session', name, lifeMs })).secret
}

export interface Authenticated extends Caller {
  /** Who it is; null for a token that belongs to no person. */
  userId: string | null
  kind: TokenRow['kind']
  /** What that person is in the workspace; a token that belongs to no person is its owner's. */
  role: MembershipRow['role']
  /** null for everything. */
  scopes: readonly string[] | null
  /** null for one that does not expire. */
  expiresAtMs: number | null
  /** Of an issuer's token, which is kept nowhere: rejects with `unauthenticated` once it is good for nothing any more. */
  verifyAgain?: () => Promise<unknown>
}

/** What is asked of a token with each request; `role` is null where its person is not a member, or there is none. */
type KnownToken = Pick<
  TokenRow,
  'id' | 'account_id' | 'user_id' | 'kind' | 'scopes' | 'expires_at' | 'revoked_at' | 'last_used_at'
> & { role: MembershipRow['role'] | null }

const tokenByHash = lookup((db) => knownTokens(db).where('tokens.hash', '=', ''))
const tokenById = lookup((db) => knownTokens(db).where('tokens.id', '=', ''))

/** Whose token it is. Rejects with `unauthenticated` when it is unknown, expired or revoked. */
export async function authenticateToken(db: Kysely<Database>, token: string): Promise<Authenticated> {
  const row = await tokenByHash(db, hashOf(token))
  // A refresh token opens nothing by itself.
  if (!row || row.kind === 'family') throw refusal('the token is not known')
  return authenticatedBy(db, row)
}

/** The same for a sign-in, by the id that its access tokens name. */
export async function authenticateFamily(db: Kysely<Database>, id: string): Promise<Authenticated> {
  const row = await tokenById(db, id)
  if (!row) throw refusal('the token is not known')
  return authenticatedBy(db, row)
}

function authenticatedBy(db: Kysely<Database>, row: KnownToken): Authenticated | Promise<Authenticated> {
  const now = Date.now()
  if (row.revoked_at !== null) throw refusal('the token was revoked')
  if (row.expires_at !== null && row.expires_at <= now) throw refusal('the token has expired')
  if (row.user_id !== null && row.role === null) throw refusal('its person has left the workspace')
  const caller: Authenticated = {
    accountId: row.account_id,
    tokenId: row.id,
    userId: row.user_id,
    kind: row.kind,
    role: row.role ?? 'owner',
    scopes: row.scopes?.split(' ') ?? null,
    expiresAtMs: row.expires_at,
  }
  return now - (row.last_used_at ?? 0) < limits.lastUsedPrecisionMs ? caller : used(db, caller, now)
}

async function used(db: Kysely<Database>, caller: Authenticated, now: number): Promise<Authenticated> {
  await db.updateTable('tokens').set({ last_used_at: now }).where('id', '=', caller.tokenId).execute()
  return caller
}

/** Rejects with `forbidden` when the caller's token is not for this. */
export function assertScope(caller: Pick<Authenticated, 'scopes'>, scope: Scope): void {
  if (caller.scopes === null || caller.scopes.includes(scope)) return
  throw new CarrelError('forbidden', `Cannot use the token for this: it has not the scope "${scope}"`, {
    details: { scope, scopes: caller.scopes },
  })
}

export function newSecret(kind: TokenRow['kind']): string {
  return prefixes[kind] + randomBytes(32).toString('base64url')
}

export function hashOf(secret: string): string {
  return hash('sha256', secret)
}

export function refusal(reason: string, cause?: unknown): CarrelError {
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
