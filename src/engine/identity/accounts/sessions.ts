import { setImmediate as turn } from 'node:timers/promises'
import type { Database, TokenRow } from '../../../db/schema.ts'
import type { ExpressionBuilder } from 'kysely'
import { limits } from '../../../config/limits.ts'
import { CarrelError } from '../../../errors.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { assertSignedIn } from './signed-in.ts'
import type { Authenticated } from './tokens.ts'
import type { Context } from '../../context.ts'
import type { IdentityContext } from '../identity.ts'

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

/** Those that have not ended, the newest first; at most 1,000, those that end last. Takes the token of a sign-in. */
export async function listSessions(engine: Pick<Context, 'db'>, caller: Authenticated): Promise<Session[]> {
  assertSignedIn(caller, 'list sessions')
  const open = engine.db.selectFrom('tokens').selectAll().where(openOf(caller)).limit(limits.sessionsListed)
  // Each in the order of its index: of a million nobody is read but who is told of.
  const endless = await open.where('expires_at', 'is', null).execute()
  const others = await open.where('expires_at', '>', Date.now()).orderBy('expires_at', 'desc').execute()
  return [...endless, ...others]
    .toSorted((a, b) => b.created_at - a.created_at || (a.id < b.id ? -1 : 1))
    .slice(0, limits.sessionsListed)
    .map((row) => sessionOf(row, caller))
}

/**
 * Ends one of the caller's own sign-ins; `current` is the one that asks. With it go the sessions that it was renewed of, and to, but for the
 * one that asks where that ends another. All that came of it is refused from the next request on. API keys stay. Takes the token of a sign-in. Rejects with `not_found` when it is none of the caller's, or has ended.
 */
export async function endSession(
  engine: Pick<IdentityContext, 'db' | 'liveConnections'>,
  caller: Authenticated,
  id: string,
): Promise<string> {
  assertSignedIn(caller, 'end a session')
  const sessionId = id === 'current' ? caller.tokenId : id
  const ended = await end(engine, caller, ({ eb }) => eb('id', 'in', lineOf(engine.db, caller, sessionId)))
  await engine.liveConnections.endLapsed()
  if (ended === 0) throw new CarrelError('not_found', `Cannot end session "${id}": there is none of that id`)
  return sessionId
}

/** Ends every sign-in of the caller's but the one that asks; says how many there were. */
export async function endOtherSessions(
  engine: Pick<IdentityContext, 'db' | 'liveConnections'>,
  caller: Authenticated,
): Promise<number> {
  assertSignedIn(caller, 'end a session')
  let count = 0
  for (let ended = -1; ended !== 0; count += ended) {
    ended = await end(engine, caller, ({ eb }) => eb('id', '!=', caller.tokenId))
    // There may be very many: others come between.
    await turn()
  }
  await engine.liveConnections.endLapsed()
  return count
}

/** A session, those that it was renewed of and those that came of these; none where it has ended. One ends each month, so they are few. */
function lineOf(db: Context['db'], caller: Authenticated, sessionId: string) {
  const sparedId = sessionId === caller.tokenId ? undefined : caller.tokenId
  return db
    .withRecursive('former', (eb) =>
      eb
        .selectFrom('tokens')
        .select(['id', 'refreshed_from'])
        .where('id', '=', sessionId)
        .where(isOpen(caller))
        .union((of) =>
          of
            .selectFrom('tokens')
            .innerJoin('former', 'former.refreshed_from', 'tokens.id')
            .select(['tokens.id', 'tokens.refreshed_from']),
        ),
    )
    .withRecursive('line', (eb) =>
      eb
        .selectFrom('former')
        .select('former.id')
        .union((of) =>
          of
            .selectFrom('tokens')
            .innerJoin('line', 'line.id', 'tokens.refreshed_from')
            .select('tokens.id')
            .where('tokens.revoked_at', 'is', null)
            .where((eb) => (sparedId === undefined ? eb.lit(true) : eb('tokens.id', '!=', sparedId))),
        ),
    )
    .selectFrom('line')
    .select('line.id')
    .where((eb) => (sparedId === undefined ? eb.lit(true) : eb('line.id', '!=', sparedId)))
}

/** One step of it. */
function end(engine: Pick<Context, 'db'>, caller: Authenticated, which: Condition): Promise<number> {
  return engine.db.transaction().execute(async (trx) => {
    const some = trx
      .selectFrom('tokens')
      .select('id')
      .where(isOpen(caller))
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

function isOpen(caller: Authenticated) {
  return (eb: Tokens) =>
    eb.and([openOf(caller)(eb), eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', Date.now())])])
}

/** Unless their time is over. What belongs to no person is the account's. */
function openOf({ userId, accountId }: Authenticated) {
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
