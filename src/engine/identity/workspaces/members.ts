import type { Kysely, Transaction } from 'kysely'
import { transaction } from '../../../db/transaction.ts'
import type { Database, MembershipRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { assertRole, covers, roleOf, type Role } from '../accounts/roles.ts'
import { assertSignedIn } from '../accounts/signed-in.ts'
import type { Authenticated } from '../accounts/tokens.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { endInvitationsBy } from './end-invitations.ts'
import { endSharesBy } from './end-shares.ts'
import type { Context } from '../../context.ts'
import type { IdentityContext } from '../identity.ts'

export interface Member {
  userId: string
  name: string
  /** null when none is known. */
  email: string | null
  role: Role
  joinedAtMs: number
}

/** Returns the members of a workspace in the order in which they joined. */
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
    email,
    role,
    joinedAtMs: created_at,
  }))
}

/** Returns how many members a workspace has, without one of them. */
export async function countMembers(
  db: Kysely<Database>,
  accountId: string,
  { except = '' }: { except?: string } = {},
): Promise<number> {
  const { count } = await db
    .selectFrom('memberships')
    .select(({ fn }) => fn.countAll().as('count'))
    .where('account_id', '=', accountId)
    .where('user_id', '!=', except)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/**
 * Changes a member's role. Revokes the open invitations of a member who is demoted. Throws `forbidden` unless the
 * caller is an admin who is signed in, or an owner where an owner is appointed or demoted; `not_found` when there is no
 * such member; and `conflict` when the workspace would be left without an owner.
 */
export async function changeRole(
  engine: Pick<Context, 'db'>,
  caller: Authenticated,
  userId: string,
  role: Role,
): Promise<Member> {
  assertSignedIn(caller, 'change a role')
  await transaction(engine.db, { kind: 'operational', queue: caller.tokenId }, async (trx) => {
    const before = await memberOf(trx, caller, userId)
    const ownRole = await currentRole(trx, caller)
    assertRole({ role: ownRole }, 'admin')
    if (before === 'owner' || role === 'owner') assertRole({ role: ownRole }, 'owner')
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
 * Removes a member, or lets the caller leave. Also revokes the API keys and the shares of computers that the member
 * created in the workspace, and the member's open invitations. Removing another member takes an admin who is signed in, removing an owner takes an
 * owner. Throws as `changeRole` does.
 */
export async function removeMember(
  engine: Pick<IdentityContext, 'db' | 'liveConnections'>,
  caller: Authenticated,
  userId: string,
): Promise<void> {
  assertSignedIn(caller, 'remove a member')
  const { accountId, tokenId } = caller
  await transaction(engine.db, { kind: 'operational', queue: tokenId }, async (trx) => {
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
    await endSharesBy(trx, accountId, userId)
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

/** Returns the caller's role as of this transaction: of two members who demote each other at once, the second fails. */
async function currentRole(trx: Transaction<Database>, caller: Authenticated): Promise<Role> {
  if (caller.userId === null) return caller.role
  const role = await roleOf(trx, caller.accountId, caller.userId)
  if (role) return role
  throw new CarrelError('not_found', 'Cannot change the workspace: you have left it')
}

/** Throws `conflict` when the user is the last owner. A token without a user stays an owner's. */
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
      'Cannot take the last owner from the workspace: make another member an owner first',
    )
}
