import { createHash, randomBytes } from 'node:crypto'
import type { CompiledQuery, Kysely } from 'kysely'
import { limits } from '../../config/limits.ts'
import type { Database, TokenRow } from '../../db/schema.ts'
import { CarrelError } from '../../errors.ts'
import type { Caller } from '../engine.ts'
import { newId } from '../ids.ts'

/** What a token that is not for everything may do: use computers, or manage the account with its keys. */
export const scopes = ['compute', 'account'] as const
export type Scope = (typeof scopes)[number]

const prefixes = { session: 'pp_sess_', api_key: 'ak_', family: 'rt_' } as const

interface NewToken {
  accountId: string
  userId?: string | null
  kind: TokenRow['kind']
  name: string
  /** null for everything. */
  scopes?: readonly Scope[] | null
  /** undefined is for ever. */
  lifeMs?: number | undefined
}

/** A new secret: 256 random bits, of which only the SHA-256 is stored. */
export async function insertToken(db: Kysely<Database>, token: NewToken): Promise<{ secret: string; row: TokenRow }> {
  const secret = newSecret(token.kind)
  const now = Date.now()
  const row: TokenRow = {
    id: newId(),
    account_id: token.accountId,
    user_id: token.userId ?? null,
    hash: hashOf(secret),
    kind: token.kind,
    name: token.name,
    scopes: token.scopes?.join(' ') ?? null,
    created_at: now,
    expires_at: token.lifeMs === undefined ? null : now + token.lifeMs,
    revoked_at: null,
    last_used_at: null,
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
  /** null for everything. */
  scopes: readonly string[] | null
  /** null for one that does not expire. */
  expiresAtMs: number | null
}

/** Whose token it is. Rejects with `unauthenticated` when it is unknown, expired or revoked. */
export async function authenticateToken(db: Kysely<Database>, token: string): Promise<Authenticated> {
  const { rows } = await db.executeQuery<TokenRow>({ ...lookupOf(db), parameters: [hashOf(token)] })
  // A refresh token opens nothing by itself.
  if (!rows[0] || rows[0].kind === 'family') throw refusal('the token is not known')
  return authenticatedBy(db, rows[0])
}

/** The caller of a token that was found. Rejects with `unauthenticated` when it has expired or is revoked. */
export async function authenticatedBy(db: Kysely<Database>, row: TokenRow): Promise<Authenticated> {
  const now = Date.now()
  if (row.revoked_at !== null) throw refusal('the token was revoked')
  if (row.expires_at !== null && row.expires_at <= now) throw refusal('the token has expired')
  if (now - (row.last_used_at ?? 0) >= limits.lastUsedMs)
    await db.updateTable('tokens').set({ last_used_at: now }).where('id', '=', row.id).execute()
  return {
    accountId: row.account_id,
    tokenId: row.id,
    userId: row.user_id,
    kind: row.kind,
    scopes: row.scopes?.split(' ') ?? null,
    expiresAtMs: row.expires_at,
  }
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
  return createHash('sha256').update(secret).digest('hex')
}

export function refusal(reason: string, cause?: unknown): CarrelError {
  return new CarrelError('unauthenticated', `Cannot authenticate: ${reason}`, { cause })
}

/** Each request asks this: it is put into SQL once. */
const lookups = new WeakMap<Kysely<Database>, CompiledQuery<TokenRow>>()

function lookupOf(db: Kysely<Database>): CompiledQuery<TokenRow> {
  const known = lookups.get(db)
  if (known) return known
  const compiled = db.selectFrom('tokens').selectAll().where('hash', '=', '').compile()
  lookups.set(db, compiled)
  return compiled
}
