import type { Transaction } from 'kysely'
import type { Database, MembershipRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { assertRole, covers, roleOf, type Role } from '../accounts/roles.ts'
import { assertSignedIn } from '../accounts/signed-in.ts'
import type { Authenticated } from '../accounts/tokens.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { endInvitationsBy } from './end-invitations.ts'
import type { Context } from '../../context.ts'
import type { IdentityContext } from '../identity.ts'

export interface Member {
  userId: string
  name: string
  /** '' when none is known. */
  email: string
  role: Role
  joinedAtMs: number
}

/** Everybody in the caller's workspace, who came first first. */
export async function listMembers({ db }: Pick<Context, 'db'>, accountId: string): Promise<Member[]> {
  const rows = await db
    .selectFrom('memberships')
    .innerJoin('users', 'users.id', 'memberships.user_id')
    .select(['users.id', 'users.name', 'users.email', 'memberships.role', 'memberships.created_at'])
    .where('memberships.account_id', '=', accountId)
    .orderBy('memberships.created_at')
    .orderBy('users.id')
    .execute()
  return rows.map(({ id, name, email, role, created_at }) => ({
    userId: id,
    name,
    email: email ?? '',
    role,
    joinedAtMs: created_at,
  }))
}

/**
 * Makes a member more or less. It takes an admin who is signed in, and an owner where owners are made or unmade (`forbidden`). Rejects with
 * `not_found` when there is no such member, with `conflict` when the workspace would be without an owner. What somebody who becomes
 * less had invited is taken back.
 */
export async function changeRole(
  engine: Pick<Context, 'db'>,
  caller: Authenticated,
  userId: string,
  role: Role,
): Promise<Member> {
  assertSignedIn(caller, 'change a role')
  await engine.db.transaction().execute(async (trx) => {
    const before = await memberOf(trx, caller, userId)
    const mine = await currentRole(trx, caller)
    assertRole({ role: mine }, 'admin')
    if (before === 'owner' || role === 'owner') assertRole({ role: mine }, 'owner')
    if (before === role) return
    if (before === 'owner') await assertAnotherOwner(trx, caller, userId)
    await trx
      .updateTable('memberships')
      .set({ role })
      .where('account_id', '=', caller.accountId)
      .where('user_id', '=', userId)
      .execute()
    if (!covers(role, before)) await endInvitationsBy(trx, caller.accountId, userId)
    await appendEvent(trx, {
      accountId: caller.accountId,
      type: 'member.role_changed',
      actor: caller.tokenId,
      data: { userId, from: before, to: role },
    })
  })
  return (await listMembers(engine, caller.accountId)).find((member) => member.userId === userId)!
}

/**
 * Removes a member, or lets one leave. With them go the API keys that they made in the workspace, and what they had invited. It takes
 * an admin who is signed in, for an owner an owner, for oneself no role. Rejects as `changeRole` does.
 */
export async function removeMember(
  engine: Pick<IdentityContext, 'db' | 'liveConnections'>,
  caller: Authenticated,
  userId: string,
): Promise<void> {
  assertSignedIn(caller, 'remove a member')
  const { accountId, tokenId } = caller
  await engine.db.transaction().execute(async (trx) => {
    const before = await memberOf(trx, caller, userId)
    const isOneself = userId === caller.userId
    if (!isOneself) assertRole({ role: await currentRole(trx, caller) }, before === 'owner' ? 'owner' : 'admin')
    if (before === 'owner') await assertAnotherOwner(trx, caller, userId)
    await trx.deleteFrom('memberships').where('account_id', '=', accountId).where('user_id', '=', userId).execute()
    await trx
      .updateTable('tokens')
      .set({ revoked_at: Date.now() })
      .where('account_id', '=', accountId)
      .where('user_id', '=', userId)
      .where('revoked_at', 'is', null)
      .execute()
    await endInvitationsBy(trx, accountId, userId)
    const type = isOneself ? 'member.left' : 'member.removed'
    await appendEvent(trx, { accountId, type, actor: tokenId, data: { userId, role: before } })
  })
  await engine.liveConnections.endLapsed()
}

async function memberOf(trx: Transaction<Database>, { accountId }: Authenticated, userId: string): Promise<Role> {
  const role = await roleOf(trx, accountId, userId)
  if (role) return role
  throw new CarrelError('not_found', `Cannot find member "${userId}": the workspace has no such member`)
}

/** Of the caller as of this transaction: of two who unmake each other at once one is too late. */
async function currentRole(trx: Transaction<Database>, caller: Authenticated): Promise<Role> {
  if (caller.userId === null) return caller.role
  const role = await roleOf(trx, caller.accountId, caller.userId)
  if (role) return role
  throw new CarrelError('not_found', 'Cannot change the workspace: you have left it')
}

/** A token that belongs to no person remains an owner's. */
async function assertAnotherOwner(trx: Transaction<Database>, caller: Authenticated, userId: string): Promise<void> {
  if (caller.userId === null) return
  const other = await trx
    .selectFrom('memberships')
    .select('user_id')
    .where('account_id', '=', caller.accountId)
    .where('role', '=', 'owner' satisfies MembershipRow['role'])
    .where('user_id', '!=', userId)
    .executeTakeFirst()
  if (!other)
    throw new CarrelError(
      'conflict',
      'Cannot take the last owner from the workspace: make somebody else an owner first',
    )
}
