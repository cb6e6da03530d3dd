import { setImmediate as turn } from 'node:timers/promises'
import { transaction } from '../../../db/transaction.ts'
import type { Database, TokenRow } from '../../../db/schema.ts'
import type { ExpressionBuilder } from 'kysely'
import { limits } from '../../../config/limits.ts'
import { CarrelError } from '../../../errors.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { assertSignedIn } from './signed-in.ts'
import type { Authenticated } from './tokens.ts'
import type { Context } from '../../context.ts'
import type { IdentityContext } from '../identity.ts'

/** A sign-in of a user: a session token, or a token family that is renewed. */
export interface Session {
  id: string
  /** The way of signing in, such as `email`. */
  how: string
  createdAtMs: number
  /** To the minute; null when it was never used. */
  lastUsedAtMs: number | null
  expiresAtMs: number | null
  /** Whether this session makes the request. */
  isCurrent: boolean
}

/**
 * Returns the sessions that have not ended, the newest first; at most 1,000, those that expire last. Throws `forbidden`
 * unless the caller's token is that of a sign-in.
 */
export async function listSessions(engine: Pick<Context, 'db'>, caller: Authenticated): Promise<Session[]> {
  assertSignedIn(caller, 'list sessions')
  const open = engine.db.selectFrom('tokens').selectAll().where(sessionsOf(caller)).limit(limits.sessionsListed)
  // Two queries, each in the order of an index: of a million sessions only those that are listed are read.
  const endless = await open.where('expires_at', 'is', null).execute()
  const others = await open.where('expires_at', '>', Date.now()).orderBy('expires_at', 'desc').execute()
  return [...endless, ...others]
    .toSorted((a, b) => b.created_at - a.created_at || (a.id < b.id ? -1 : 1))
    .slice(0, limits.sessionsListed)
    .map((row) => sessionOf(row, caller))
}

/**
 * Ends one of the caller's own sessions; `current` is the one that makes the request. Also ends the sessions that it
 * was refreshed from and to, except the requesting one when it ends another. All their tokens are refused from the next
 * request on; API keys stay. Returns the id of the session. Throws `forbidden` unless the caller's token is that of a
 * sign-in, and `not_found` when the caller has no such session or it has ended.
 */
export async function endSession(
  engine: Pick<IdentityContext, 'db' | 'liveConnections'>,
  caller: Authenticated,
  id: string,
): Promise<string> {
  assertSignedIn(caller, 'end a session')
  const sessionId = id === 'current' ? caller.tokenId : id
  const ended = await end(engine, caller, ({ eb }) => eb('id', 'in', refreshChainOf(engine.db, caller, sessionId)))
  await engine.liveConnections.endLapsed()
  if (ended === 0) throw new CarrelError('not_found', `Cannot end session "${id}": you have no such session`)
  return sessionId
}

/** Ends every session of the caller except the one that makes the request. Returns how many there were. */
export async function endOtherSessions(
  engine: Pick<IdentityContext, 'db' | 'liveConnections'>,
  caller: Authenticated,
): Promise<number> {
  assertSignedIn(caller, 'end a session')
  let count = 0
  for (let ended = -1; ended !== 0; count += ended) {
    ended = await end(engine, caller, ({ eb }) => eb('id', '!=', caller.tokenId))
    // There can be very many: let other work run in between.
    await turn()
  }
  await engine.liveConnections.endLapsed()
  return count
}

/**
 * Selects a session, the ones that it was refreshed from, and the ones that those were refreshed to; nothing when the
 * session has ended. A session lasts a month, so they are few.
 */
function refreshChainOf(db: Context['db'], caller: Authenticated, sessionId: string) {
  const sparedId = sessionId === caller.tokenId ? undefined : caller.tokenId
  return db
    .withRecursive('earlier', (eb) =>
      eb
        .selectFrom('tokens')
        .select(['id', 'refreshed_from'])
        .where('id', '=', sessionId)
        .where(isLive(caller))
        .union((of) =>
          of
            .selectFrom('tokens')
            .innerJoin('earlier', 'earlier.refreshed_from', 'tokens.id')
            .select(['tokens.id', 'tokens.refreshed_from']),
        ),
    )
    .withRecursive('chain', (eb) =>
      eb
        .selectFrom('earlier')
        .select('earlier.id')
        .union((of) =>
          of
            .selectFrom('tokens')
            .innerJoin('chain', 'chain.id', 'tokens.refreshed_from')
            .select('tokens.id')
            .where('tokens.revoked_at', 'is', null)
            .where((eb) => (sparedId === undefined ? eb.lit(true) : eb('tokens.id', '!=', sparedId))),
        ),
    )
    .selectFrom('chain')
    .select('chain.id')
    .where((eb) => (sparedId === undefined ? eb.lit(true) : eb('chain.id', '!=', sparedId)))
}

/** Ends a limited number of sessions. Returns how many it ended. */
function end(engine: Pick<Context, 'db'>, caller: Authenticated, which: Condition): Promise<number> {
  return transaction(engine.db, { kind: 'operational', queue: caller.tokenId }, async (trx) => {
    const some = trx
      .selectFrom('tokens')
      .select('id')
      .where(isLive(caller))
      .where(which)
      .limit(limits.sessionsEndedAtOnce)
    const ended = await trx
      .updateTable('tokens')
      .set({ revoked_at: Date.now() })
      .where('id', 'in', some)
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
}

type Tokens = ExpressionBuilder<Database, 'tokens'>
type Condition = (helpers: { eb: Tokens }) => ReturnType<Tokens>

function isLive(caller: Authenticated) {
  return (eb: Tokens) =>
    eb.and([sessionsOf(caller)(eb), eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', Date.now())])])
}

/** Selects the caller's sessions, also expired ones. Tokens without a user are the account's. */
function sessionsOf({ userId, accountId }: Authenticated) {
  return (eb: Tokens) =>
    eb.and([
      userId === null ? eb.and({ account_id: accountId }).and('user_id', 'is', null) : eb('user_id', '=', userId),
      eb('kind', 'in', ['session', 'family']),
      eb('revoked_at', 'is', null),
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
