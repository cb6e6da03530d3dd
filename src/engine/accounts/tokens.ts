import { createHash, randomBytes } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { CarrelError } from '../../errors.ts'
import type { Caller } from '../engine.ts'
import { newId } from '../ids.ts'

/** A new secret of an account: 256 random bits, of which only the SHA-256 is stored. `lifeMs` undefined is for ever. */
export async function createToken(
  db: Kysely<Database>,
  accountId: string,
  name: string,
  lifeMs?: number,
): Promise<string> {
  const token = `pp_sess_${randomBytes(32).toString('base64url')}`
  const now = Date.now()
  await db
    .insertInto('tokens')
    .values({
      id: newId(),
      account_id: accountId,
      hash: hash(token),
      name,
      created_at: now,
      expires_at: lifeMs === undefined ? null : now + lifeMs,
      revoked_at: null,
    })
    .execute()
  return token
}

export interface Authenticated extends Caller {
  /** null for one that does not expire. */
  expiresAtMs: number | null
}

/** Whose token it is. Rejects with `unauthenticated` when it is unknown, expired or revoked. */
export async function authenticateToken(db: Kysely<Database>, token: string): Promise<Authenticated> {
  const row = await db
    .selectFrom('tokens')
    .select(['id', 'account_id', 'expires_at', 'revoked_at'])
    .where('hash', '=', hash(token))
    .executeTakeFirst()
  if (!row) throw new CarrelError('unauthenticated', 'Cannot authenticate: the token is not known')
  if (row.revoked_at !== null) throw new CarrelError('unauthenticated', 'Cannot authenticate: the token was revoked')
  if (row.expires_at !== null && row.expires_at <= Date.now())
    throw new CarrelError('unauthenticated', 'Cannot authenticate: the token has expired')
  return { accountId: row.account_id, tokenId: row.id, expiresAtMs: row.expires_at }
}

function hash(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
