import { transaction } from '../../../db/transaction.ts'
import { limits } from '../../../config/limits.ts'
import { CarrelError } from '../../../errors.ts'
import { createAccount } from '../accounts/owner.ts'
import { assertRole, type Role } from '../accounts/roles.ts'
import { assertSignedIn } from '../accounts/signed-in.ts'
import type { Authenticated } from '../accounts/tokens.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { isUser } from './enter-workspace.ts'
import type { Context } from '../../context.ts'

export interface Workspace {
  id: string
  name: string
  /** The caller's role. */
  role: Role
  /** True for a user's own workspace, which has no other members. */
  isPersonal: boolean
  members: number
  createdAtMs: number
  /** When the workspace is deleted; null when no deletion is scheduled. */
  deleteAtMs: number | null
}

/**
 * Creates a workspace with the caller as its owner. It has no credit until somebody tops it up. Throws `forbidden` when
 * the token does not stand for a user, and `limit_reached` when the user has created 20 workspaces.
 */
export async function createWorkspace(
  engine: Pick<Context, 'db'>,
  caller: Authenticated,
  name: string,
): Promise<Workspace> {
  if (!isUser(caller))
    throw new CarrelError('forbidden', 'Cannot create a workspace: this takes the token of a sign-in, not of a program')
  return transaction(engine.db, { kind: 'operational', queue: caller.accountId }, async (trx) => {
    const { count } = await trx
      .selectFrom('accounts')
      .select((eb) => eb.fn.countAll().as('count'))
      .where('created_by', '=', caller.userId)
      .executeTakeFirstOrThrow()
    if (Number(count) >= limits.workspacesPerUser)
      throw new CarrelError(
        'limit_reached',
        `Cannot create a workspace: you have created ${limits.workspacesPerUser}, which is the limit`,
        { details: { limit: limits.workspacesPerUser } },
      )
    const id = await createAccount(trx, name, caller.userId)
    const now = Date.now()
    await trx
      .insertInto('memberships')
      .values({ account_id: id, user_id: caller.userId, role: 'owner', created_at: now })
      .execute()
    await appendEvent(trx, { accountId: id, type: 'workspace.created', actor: caller.tokenId, data: { name } })
    return { id, name, role: 'owner' as const, isPersonal: false, members: 1, createdAtMs: now, deleteAtMs: null }
  })
}

/**
 * Returns the workspaces that the caller's token gives access to, the personal one first: all that the user is a member
 * of, or the token's own when it does not stand for a user.
 */
export async function listWorkspaces(engine: Pick<Context, 'db'>, caller: Authenticated): Promise<Workspace[]> {
  if (!isUser(caller)) return [await workspaceOf(engine, caller)]
  const rows = await workspaces(engine)
    .innerJoin('memberships', 'memberships.account_id', 'accounts.id')
    .select('memberships.role')
    .where('memberships.user_id', '=', caller.userId)
    .orderBy('accounts.created_at')
    .orderBy('accounts.id')
    .execute()
  return rows.map((row) => workspaceFrom(row, row.role)).toSorted((a, b) => Number(b.isPersonal) - Number(a.isPersonal))
}

/** Returns the workspace that the caller is in. */
export async function workspaceOf(engine: Pick<Context, 'db'>, { accountId, role }: Authenticated): Promise<Workspace> {
  const row = await workspaces(engine).where('accounts.id', '=', accountId).executeTakeFirstOrThrow()
  return workspaceFrom(row, role)
}

/** Renames the caller's workspace. Throws `forbidden` unless the caller is an admin who is signed in. */
export async function renameWorkspace(
  engine: Pick<Context, 'db'>,
  caller: Authenticated,
  name: string,
): Promise<Workspace> {
  assertSignedIn(caller, 'rename a workspace')
  assertRole(caller, 'admin')
  await transaction(engine.db, { kind: 'operational', queue: caller.accountId }, async (trx) => {
    await trx.updateTable('accounts').set({ name }).where('id', '=', caller.accountId).execute()
    const { accountId, tokenId } = caller
    await appendEvent(trx, { accountId, type: 'workspace.renamed', actor: tokenId, data: { name } })
  })
  return workspaceOf(engine, caller)
}

function workspaces({ db }: Pick<Context, 'db'>) {
  return db
    .selectFrom('accounts')
    .leftJoin('users', 'users.account_id', 'accounts.id')
    .select(['accounts.id', 'accounts.name', 'accounts.created_at', 'accounts.delete_at', 'users.id as owner_id'])
    .select((eb) =>
      eb
        .selectFrom('memberships as m')
        .select((of) => of.fn.countAll().as('count'))
        .whereRef('m.account_id', '=', 'accounts.id')
        .as('members'),
    )
}

interface WorkspaceRow {
  id: string
  name: string
  created_at: number
  delete_at: number | null
  owner_id: string | null
  members: string | number | bigint | null
}

function workspaceFrom(row: WorkspaceRow, role: Role): Workspace {
  const { id, name, owner_id: ownerId, created_at: createdAtMs, delete_at: deleteAtMs } = row
  return { id, name, role, isPersonal: ownerId !== null, members: Number(row.members), createdAtMs, deleteAtMs }
}
