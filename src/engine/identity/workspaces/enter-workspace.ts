import { CarrelError } from '../../../errors.ts'
import { roleOf } from '../accounts/roles.ts'
import type { Authenticated } from '../accounts/tokens.ts'
import type { Context } from '../../context.ts'

/**
 * Returns whether the token stands for a user in all of the user's workspaces. An API key stands for one workspace
 * only.
 */
export function isUser(caller: Authenticated): caller is Authenticated & { userId: string } {
  return caller.userId !== null && caller.kind !== 'api_key' && caller.scopes === null
}

/**
 * Returns the same caller in another workspace, with the role there. `current` is the workspace of the token. Throws
 * `not_found` when the caller is not a member, or the token does not stand for a user.
 */
export async function enterWorkspace(
  engine: Pick<Context, 'db'>,
  caller: Authenticated,
  workspaceId: string,
): Promise<Authenticated> {
  if (workspaceId === 'current' || workspaceId === caller.accountId) return caller
  const role = isUser(caller) ? await roleOf(engine.db, workspaceId, caller.userId) : undefined
  if (role) return { ...caller, accountId: workspaceId, role }
  throw new CarrelError('not_found', 'Cannot use the workspace: the token gives access to none of that id', {
    details: { workspace: workspaceId },
  })
}
