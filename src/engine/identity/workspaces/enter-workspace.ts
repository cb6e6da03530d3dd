import { CarrelError } from '../../../errors.ts'
import { roleOf } from '../accounts/roles.ts'
import type { Authenticated } from '../accounts/tokens.ts'
import type { Context } from '../../context.ts'

/** Whether the token stands for a person, wherever they are a member. An API key stands for its workspace alone. */
export function isUser(caller: Authenticated): caller is Authenticated & { userId: string } {
  return caller.userId !== null && caller.kind !== 'api_key' && caller.scopes === null
}

/**
 * The same caller in another workspace, with what they are there. `current` is the one that the token is for. Rejects with
 * `not_found` when they are not a member of it, or when the token stands for no person.
 */
export async function enterWorkspace(
  engine: Pick<Context, 'db'>,
  caller: Authenticated,
  workspaceId: string,
): Promise<Authenticated> {
  if (workspaceId === 'current' || workspaceId === caller.accountId) return caller
  const role = isUser(caller) ? await roleOf(engine.db, workspaceId, caller.userId) : undefined
  if (role) return { ...caller, accountId: workspaceId, role }
  throw new CarrelError('not_found', 'Cannot use the workspace: the token has none of that id', {
    details: { workspace: workspaceId },
  })
}
