import { lookup } from '../../../db/lookup.ts'
import type { AccessSessionRow, Database } from '../../../db/schema.ts'
import type { Kysely } from 'kysely'
import { roleOf } from '../../identity/accounts/roles.ts'
import { authenticateFamily, hashOf, unauthenticated, type Authenticated } from '../../identity/accounts/tokens.ts'
import { enterWorkspace } from '../../identity/workspaces/enter-workspace.ts'
import { findComputer, type AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import { enterShare, type SharedSession } from '../shares/share-caller.ts'
import { stateOfSession } from './access-session.ts'
import { provesPort, type PortToken } from './port-token.ts'

/** An access session whose token was accepted. */
export interface EnteredSession {
  id: string
  expiresAtMs: number
  /**
   * The caller that created the session, or a visitor of a share: what is done in the session is done for that token, or
   * for the one that created the share.
   */
  caller: Authenticated
  /** The share whose link opened the session; undefined for a session that a token created. */
  share: SharedSession | undefined
  computer: AccessibleComputer<'run'>
}

/**
 * Returns the access session of a token. Throws `unauthenticated` unless it is a session of this kind that lasts, whose
 * creator still has access and whose computer still runs; and `other_node` for a computer of another server.
 */
export async function enterSession(
  engine: SessionContext,
  kind: AccessSessionRow['kind'],
  token: string,
): Promise<EnteredSession> {
  const row = await sessionByHash(engine.db, hashOf(token))
  if (!row || row.kind !== kind) throw unauthenticated('the token is not that of an access session of this kind')
  return enter(engine, row)
}

/** Returns the `browser` session that the token of a private port belongs to. Throws as `enterSession` does. */
export async function enterByPort(
  engine: SessionContext,
  port: number,
  { sessionId, proof }: PortToken,
): Promise<EnteredSession> {
  const row = await sessionById(engine.db, sessionId)
  if (row?.kind !== 'browser' || !provesPort(proof, row.hash, port))
    throw unauthenticated('the token is not that of this port')
  return enter(engine, row)
}

type SessionContext = Pick<ComputersContext, 'db' | 'node' | 'images'>

async function enter(engine: SessionContext, row: AccessSessionRow): Promise<EnteredSession> {
  const { caller, share } = await callerOf(engine.db, row)
  const { computer_id: id } = row
  const computer = await findComputer(engine, caller, share ? { shared: id } : { id }, 'run')
  if (!computer) throw unauthenticated('the computer of the access session does not exist any more')
  const state = stateOfSession(row, computer.row)
  if (state !== 'active') throw unauthenticated(ends[state])
  return { id: row.id, expiresAtMs: row.expires_at, caller, share, computer }
}

/**
 * Calls `end`, once and with the reason, when a session ends: when it expires or is revoked, its computer stops, its
 * creator loses access, or its share ends. `end` must not throw. Returns a function to call when what it ends is over.
 */
export function whileEntered(
  engine: Pick<ComputersContext, 'db' | 'openSessions' | 'liveEvents' | 'liveConnections'>,
  { id: sessionId, share, computer, caller, expiresAtMs }: EnteredSession,
  end: (reason: string) => void,
): () => void {
  const endOnce = (reason: string) => {
    stop()
    end(reason)
  }
  const expiry = setTimeout(() => endOnce(ends.expired), expiresAtMs - Date.now()).unref()
  const registrations = [
    () => clearTimeout(expiry),
    engine.openSessions.add({ sessionId, shareId: share?.id, computerId: computer.id, end: endOnce }),
    engine.liveConnections.add(caller, endOnce),
    engine.liveEvents.subscribe(computer.id, (event) => {
      if (event.type === 'computer.state' && event.state !== 'running')
        endOnce(share ? ends.ended : `${ends.ended}${unpaid[event.reason ?? ''] ?? ''}`)
    }),
  ]
  const stop = () => {
    for (const unregister of registrations.splice(0)) unregister()
  }
  void isRevoked(engine.db, sessionId).then((revoked) => revoked && registrations.length > 0 && endOnce(ends.revoked))
  return stop
}

/** Returns whether a session was revoked since it was looked up. A database that does not answer ends nothing. */
async function isRevoked(db: Kysely<Database>, id: string): Promise<boolean> {
  const row = await revocationOf(db, id).catch(() => null)
  return row !== null && row?.revoked_at !== null
}

const revocationOf = lookup((db) => db.selectFrom('access_sessions').select('revoked_at').where('id', '=', ''))

const sessionById = lookup((db) => db.selectFrom('access_sessions').selectAll().where('id', '=', ''))
const sessionByHash = lookup((db) => db.selectFrom('access_sessions').selectAll().where('hash', '=', ''))

/** Returns the caller that created a session, or a visitor of its share, as admitted now. Throws `unauthenticated`. */
async function callerOf(
  db: Kysely<Database>,
  row: AccessSessionRow,
): Promise<Pick<EnteredSession, 'caller' | 'share'>> {
  const { account_id: accountId, share_id: shareId, token_id: tokenId } = row
  if (shareId !== null) return enterShare(db, { id: shareId, accountId })
  if (tokenId === null) throw unauthenticated(lost)
  const isOfIssuer = tokenId.startsWith('user:')
  const caller = isOfIssuer ? await userOfIssuer(db, row, tokenId) : await ownerOfToken(db, tokenId, accountId)
  return { caller, share: undefined }
}

async function ownerOfToken(db: Kysely<Database>, tokenId: string, accountId: string): Promise<Authenticated> {
  const caller = await authenticateFamily(db, tokenId)
  return enterWorkspace({ db }, caller, accountId).catch(() => {
    throw unauthenticated(lost)
  })
}

/** The token of an issuer is not stored: the session lasts no longer than it, and needs the user's membership. */
async function userOfIssuer(db: Kysely<Database>, row: AccessSessionRow, tokenId: string): Promise<Authenticated> {
  const { account_id: accountId, user_id: userId, expires_at: expiresAtMs } = row
  const role = userId === null ? undefined : await roleOf(db, accountId, userId)
  if (role === undefined) throw unauthenticated(lost)
  const verifyAgain = async () => {}
  return { accountId, userId, tokenId, kind: 'session', role, scopes: null, expiresAtMs, verifyAgain }
}

const lost = 'the creator of the access session has lost access'
const ends = {
  expired: 'the access session has expired',
  revoked: 'the access session was revoked',
  ended: 'the computer of the access session has stopped',
}

/** Why a computer was stopped that is not paid for. Visitors of a share do not learn it. */
const unpaid: Record<string, string | undefined> = {
  out_of_credits: ': the workspace has no credit left',
  spending_limit: ': a spending limit of the workspace is used up',
}
