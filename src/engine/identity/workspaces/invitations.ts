import { randomBytes } from 'node:crypto'
import type { Kysely, Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import { transaction } from '../../../db/transaction.ts'
import type { Database, InvitationRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { assertRole, type Role } from '../accounts/roles.ts'
import { assertSignedIn } from '../accounts/signed-in.ts'
import { hashOf, unauthenticated, type Authenticated } from '../accounts/tokens.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { newId } from '../../ids.ts'
import { isKnownAddress } from '../auth/magic-links.ts'
import { mailAddress, mailboxOf } from '../auth/mail-address.ts'
import { assertMayInvite } from './invitation-quota.ts'
import { senderOf } from './invitation-sender.ts'
import { inviterOf } from './inviter.ts'
import { countMembers, listMembers } from './members.ts'
import { workspaceOf } from './workspaces.ts'
import { invitationMail } from './invitation-mail.ts'
import type { IdentityContext } from '../identity.ts'
import type { Context } from '../../context.ts'

export interface Invitation {
  id: string
  email: string
  role: Role
  createdAtMs: number
  expiresAtMs: number
}

/**
 * Invites an address into the caller's workspace. The message is sent in the background, and neither the answer nor its
 * time reveals whether a user has the address. A second invitation of an address gets a new link, and the old one ends.
 * Throws `forbidden` unless the caller is an admin who is signed in and has a verified address, or an owner for the
 * role of an owner; `already_exists` for a member; `conflict` in a user's own workspace; `limit_reached` with 100 open
 * invitations; and `rate_limited` as `assertMayInvite` does.
 */
export async function invite(
  engine: Pick<IdentityContext, 'db' | 'settings' | 'log' | 'server' | 'mail'>,
  caller: Authenticated,
  { email: address, role, network }: { email: string; role: Role; network: string },
): Promise<Invitation> {
  assertSignedIn(caller, 'invite anybody')
  assertRole(caller, 'admin')
  assertRole(caller, role)
  const email = mailAddress(address)
  if (email === undefined)
    throw new CarrelError('invalid_request', `Cannot invite ${JSON.stringify(address)}: it is not a mail address`, {
      details: { field: 'email' },
    })
  const workspace = await workspaceOf(engine, caller)
  if (workspace.isPersonal)
    throw new CarrelError('conflict', 'Cannot invite anybody into a workspace of your own: create another one for that')
  const inviter = await inviterOf(engine, caller)
  const members = await listMembers(engine, caller.accountId)
  if (members.some((member) => member.email === email))
    throw new CarrelError('already_exists', `Cannot invite "${email}": they are a member already`)
  const code = randomBytes(32).toString('base64url')
  const isSent = engine.settings.signUp || (await isKnownAddress(engine.db, email))
  const row = await transaction(engine.db, { kind: 'operational', queue: caller.accountId }, (trx) =>
    insert(trx, engine, caller, { email, role, code, network }),
  )
  void send(engine, row, { code, workspace: workspace.name, inviter, isSent }).catch((error: unknown) =>
    engine.log.error({ err: error }, 'cannot send an invitation'),
  )
  return invitationOf(row)
}

async function insert(
  trx: Transaction<Database>,
  engine: Pick<Context, 'settings' | 'log'>,
  { accountId, userId, tokenId }: Authenticated,
  { email, role, code, network }: { email: string; role: Role; code: string; network: string },
): Promise<InvitationRow> {
  const now = Date.now()
  const mailbox = mailboxOf(email)
  const sender = await senderOf(trx, userId, network)
  await assertMayInvite(trx, engine, { mailbox, workspaceId: accountId, sender })
  const open = await openInvitations(trx, accountId).execute()
  const old = open.filter((one) => one.email === email).map(({ id }) => id)
  const members = await countMembers(trx, accountId)
  if (open.length - old.length >= limits.invitationsPerWorkspace || members >= limits.membersPerWorkspace)
    throw new CarrelError('limit_reached', 'Cannot invite anybody: the workspace has as many as it can', {
      details: { invitations: limits.invitationsPerWorkspace, members: limits.membersPerWorkspace },
    })
  if (old.length > 0) await trx.updateTable('invitations').set({ ended_at: now }).where('id', 'in', old).execute()
  const row: InvitationRow = {
    id: newId(),
    hash: hashOf(code),
    account_id: accountId,
    email,
    mailbox,
    role,
    invited_by: userId,
    network: sender.network,
    created_at: now,
    expires_at: now + limits.invitationMs,
    ended_at: null,
  }
  await trx.insertInto('invitations').values(row).execute()
  await appendEvent(trx, { accountId, type: 'member.invited', actor: tokenId, data: { email, role } })
  return row
}

async function send(
  engine: Pick<IdentityContext, 'log' | 'server' | 'mail'>,
  { email, role }: InvitationRow,
  {
    code,
    workspace,
    inviter,
    isSent,
  }: { code: string; workspace: string; inviter: string | undefined; isSent: boolean },
): Promise<void> {
  const { log, mail } = engine
  const link = engine.server.links.invitation(code)
  const message = { to: email, ...invitationMail({ link, workspace, inviter, role }) }
  if (!isSent) return mail.pretend(message)
  if (!mail.isSent) log.info({ email, link }, 'an invitation')
  await mail.send(message)
}

/** Returns the open invitations, the newest first. */
export async function listInvitations({ db }: Pick<Context, 'db'>, accountId: string): Promise<Invitation[]> {
  return (await openInvitations(db, accountId).execute()).map(invitationOf)
}

/**
 * Revokes an open invitation. Throws `forbidden` unless the caller is an admin who is signed in, and `not_found` when
 * the workspace has no open invitation of that id.
 */
export async function revokeInvitation(engine: Pick<Context, 'db'>, caller: Authenticated, id: string): Promise<void> {
  assertSignedIn(caller, 'revoke an invitation')
  assertRole(caller, 'admin')
  const { accountId, tokenId } = caller
  await transaction(engine.db, { kind: 'operational', queue: tokenId }, async (trx) => {
    const row = await trx
      .updateTable('invitations')
      .set({ ended_at: Date.now() })
      .where('id', '=', id)
      .where('account_id', '=', accountId)
      .where('ended_at', 'is', null)
      .returning('email')
      .executeTakeFirst()
    if (!row)
      throw new CarrelError('not_found', `Cannot revoke invitation "${id}": the workspace has no such invitation`)
    await appendEvent(trx, { accountId, type: 'invitation.revoked', actor: tokenId, data: { email: row.email } })
  })
}

/** Returns the open invitation of a code. Throws `unauthenticated` when there is none. */
export async function findInvitation(db: Kysely<Database>, code: string): Promise<InvitationRow> {
  const row = await db
    .selectFrom('invitations')
    .selectAll()
    .where('hash', '=', hashOf(code))
    .where('ended_at', 'is', null)
    .where('expires_at', '>', Date.now())
    .executeTakeFirst()
  if (row) return row
  throw unauthenticated('the invitation was used or revoked, or is older than 7 days; ask for another one')
}

/** Deletes expired invitations, and the networks of others that no longer count for the daily limits. */
export async function pruneInvitations({ db }: Pick<Context, 'db'>): Promise<void> {
  await db.deleteFrom('invitations').where('expires_at', '<', Date.now()).execute()
  await db
    .updateTable('invitations')
    .set({ network: null })
    .where('created_at', '<', Date.now() - limits.mailDayMs)
    .where('network', 'is not', null)
    .execute()
}

function openInvitations(db: Kysely<Database>, accountId: string) {
  return db
    .selectFrom('invitations')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('ended_at', 'is', null)
    .where('expires_at', '>', Date.now())
    .orderBy('created_at', 'desc')
    .orderBy('id')
}

function invitationOf({ id, email, role, created_at, expires_at }: InvitationRow): Invitation {
  return { id, email, role, createdAtMs: created_at, expiresAtMs: expires_at }
}
