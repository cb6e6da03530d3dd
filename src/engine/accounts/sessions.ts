import type { Database, TokenRow } from '../../db/schema.ts'
import type { ExpressionBuilder } from 'kysely'
import { CarrelError } from '../../errors.ts'
import type { Engine } from '../engine.ts'
import { appendEvent } from '../events/append-event.ts'
import { assertSignedIn } from './signed-in.ts'
import type { Authenticated } from './tokens.ts'

/** A sign-in of a person: a session token, or a pair of tokens that is renewed. */
export interface Session {
  id: string
  /** By what it came about, such as `email`. */
  how: string
  createdAtMs: number
  /** To the minute; null when it was never used. */
  lastUsedAtMs: number | null
  expiresAtMs: number | null
  /** Whether it is the one that asks. */
  isCurrent: boolean
}

/** Those that have not ended, the newest first. Takes the token of a sign-in. */
export async function listSessions(engine: Engine, caller: Authenticated): Promise<Session[]> {
  assertSignedIn(caller, 'list sessions')
  const rows = await engine.db
    .selectFrom('tokens')
    .selectAll()
    .where(openOf(caller))
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .execute()
  return rows.map((row) => sessionOf(row, caller))
}

/**
 * Ends one of the caller's own sign-ins; `current` is the one that asks. All that came of it is refused from the next request on. API keys
 * stay. Takes the token of a sign-in. Rejects with `not_found` when it is none of the caller's, or has ended.
 */
export async function endSession(engine: Engine, caller: Authenticated, id: string): Promise<string> {
  assertSignedIn(caller, 'end a session')
  const sessionId = id === 'current' ? caller.tokenId : id
  const ended = await end(engine, caller, ({ eb }) => eb('id', '=', sessionId))
  if (ended === 0) throw new CarrelError('not_found', `Cannot end session "${id}": there is none of that id`)
  return sessionId
}

/** Ends every sign-in of the caller's but the one that asks; says how many there were. */
export async function endOtherSessions(engine: Engine, caller: Authenticated): Promise<number> {
  assertSignedIn(caller, 'end a session')
  return end(engine, caller, ({ eb }) => eb('id', '!=', caller.tokenId))
}

async function end(engine: Engine, caller: Authenticated, which: Condition): Promise<number> {
  const count = await engine.db.transaction().execute(async (trx) => {
    const ended = await trx
      .updateTable('tokens')
      .set({ revoked_at: Date.now() })
      .where(openOf(caller))
      .where(which)
      .returning(['id', 'account_id'])
      .execute()
    for (const { id, account_id: accountId } of ended)
      await appendEvent(trx, {
        accountId,
        type: 'session.revoked',
        actor: caller.tokenId,
        data: { sessionId: id, reason: 'signed out' },
      })
    return ended.length
  })
  if (count > 0) await engine.openCallers.endLapsed()
  return count
}

type Tokens = ExpressionBuilder<Database, 'tokens'>
type Condition = (helpers: { eb: Tokens }) => ReturnType<Tokens>

/** What belongs to no person is the account's. */
function openOf({ userId, accountId }: Authenticated) {
  return (eb: Tokens) =>
    eb.and([
      userId === null ? eb.and({ account_id: accountId }).and('user_id', 'is', null) : eb('user_id', '=', userId),
      eb('kind', 'in', ['session', 'family']),
      eb('revoked_at', 'is', null),
      eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', Date.now())]),
    ])
}

function sessionOf(row: TokenRow, caller: Authenticated): Session {
  return {
    id: row.id,
    how: row.name,
    createdAtMs: row.created_at,
    lastUsedAtMs: row.last_used_at,
    expiresAtMs: row.expires_at,
    isCurrent: row.id === caller.tokenId,
  }
}
