import { randomBytes } from 'node:crypto'
import type { Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import type { AccessSessionRow, Database } from '../../../db/schema.ts'
import { transaction } from '../../../db/transaction.ts'
import { CarrelError } from '../../../errors.ts'
import type { Context } from '../../context.ts'
import { newId } from '../../ids.ts'
import { hashOf, type Authenticated } from '../../identity/accounts/tokens.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { OwnedRow } from '../access/look-up.ts'
import { countUse } from '../shares/count-use.ts'
import { accessTokenPrefix, stateOfSession, type AccessSession } from './access-session.ts'

export interface CreatedSession {
  session: AccessSession
  /** 256 random bits, of which only the SHA-256 is stored. */
  token: string
}

interface NewSession {
  kind: AccessSessionRow['kind']
  lifeMs: number
  /** The share whose link opens the session, where the caller is a visitor: counts as a use of it. */
  shareId?: string
}

/**
 * Creates an access session of a running computer. It ends after `lifeMs`, with the run of the computer, and with the
 * caller's own access, or with the share. Throws `conflict` for a computer that does not run; `limit_reached` when the
 * computer has `limits.accessSessionsPerComputer`, or the share `limits.accessSessionsPerShare`; and `not_found` for a
 * share that was revoked meanwhile.
 */
export async function createSession(
  { db }: Pick<Context, 'db'>,
  computer: AccessibleComputer<'run'>,
  caller: Authenticated,
  { kind, lifeMs, shareId }: NewSession,
): Promise<CreatedSession> {
  const { row: computerRow } = computer
  if (computerRow.state !== 'running' || computerRow.started_at === null)
    throw new CarrelError('conflict', `Cannot create an access session: the computer is ${computerRow.state}`, {
      details: { state: computerRow.state },
    })
  const token = `${accessTokenPrefix}${randomBytes(32).toString('base64url')}`
  const now = Date.now()
  // The token of an issuer is not stored here, so that only its expiry can be checked later. A share has an end, too.
  const endsAtMs = caller.verifyAgain ? (caller.expiresAtMs ?? Infinity) : Infinity
  const { hash, ...row } = {
    id: newId(),
    account_id: computer.accountId,
    computer_id: computer.id,
    kind,
    hash: hashOf(token),
    token_id: shareId === undefined ? caller.tokenId : null,
    share_id: shareId ?? null,
    user_id: caller.userId,
    run_started_at: computerRow.started_at,
    created_at: now,
    expires_at: Math.min(now + lifeMs, endsAtMs),
    revoked_at: null,
  }
  await transaction(db, { kind: 'durable', queue: computer.accountId }, async (trx) => {
    await makeRoom(trx, computerRow, row.share_id)
    await trx
      .insertInto('access_sessions')
      .values({ ...row, hash })
      .execute()
    if (shareId !== undefined) await countUse(trx, row, shareId)
  })
  return { session: { ...row, state: 'active' }, token }
}

/**
 * Removes the oldest sessions that are over, and throws `limit_reached` when too many last: of those of the share, or of
 * those that tokens created, so that visitors never keep out members.
 */
async function makeRoom(
  trx: Transaction<Database>,
  computer: Readonly<OwnedRow>,
  shareId: string | null,
): Promise<void> {
  const rows = await trx
    .selectFrom('access_sessions')
    .select(['id', 'account_id', 'run_started_at', 'expires_at', 'revoked_at'])
    .where('computer_id', '=', computer.id)
    .where('share_id', shareId === null ? 'is' : '=', shareId)
    .orderBy('created_at', 'desc')
    .execute()
  const over = rows.filter((row) => stateOfSession(row, computer) !== 'active')
  const [limit, whose] =
    shareId === null ? [limits.accessSessionsPerComputer, 'the computer'] : [limits.accessSessionsPerShare, 'the share']
  if (rows.length - over.length >= limit)
    throw new CarrelError('limit_reached', `Cannot create an access session: ${whose} has ${limit} that last`, {
      details: { limit },
    })
  const dropped = over.slice(limits.endedAccessSessionsPerComputer).map(({ id }) => id)
  if (dropped.length > 0) await trx.deleteFrom('access_sessions').where('id', 'in', dropped).execute()
}
