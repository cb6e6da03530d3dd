import type { Engine } from '../../../engine/engine.ts'
import { createApiKey } from '../../../engine/identity/accounts/api-keys.ts'
import { oneLine } from '../../../engine/identity/accounts/one-line.ts'
import { endSession } from '../../../engine/identity/accounts/sessions.ts'
import { assertScope } from '../../../engine/identity/accounts/tokens.ts'
import { authenticateAny } from '../../../engine/identity/auth/authenticate.ts'
import { enterWorkspace } from '../../../engine/identity/workspaces/enter-workspace.ts'
import type { Approval } from './approvals.ts'

/**
 * Creates the API key that a person has agreed to; returns its secret. The person is admitted anew, as access may have
 * been lost meanwhile. A sign-in that was made for this alone ends. Throws as `createApiKey` and `enterWorkspace` do.
 */
export async function giveKey(
  engine: Engine,
  { credential, isNewSignIn }: Approval,
  { workspaceId, name }: { workspaceId: string; name: string },
): Promise<string> {
  const caller = await authenticateAny(engine, credential)
  assertScope(caller, 'account')
  const acting = await enterWorkspace(engine, caller, workspaceId)
  if (isNewSignIn) await endSession(engine, caller, 'current')
  return (await createApiKey(engine, acting, { name: oneLine(name) || 'Command line' })).secret
}
