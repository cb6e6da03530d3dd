import type { Engine } from '../../../engine/engine.ts'
import { covers } from '../../../engine/identity/accounts/roles.ts'
import { assertScope } from '../../../engine/identity/accounts/tokens.ts'
import { profileOf } from '../../../engine/identity/accounts/users.ts'
import { authenticateAny } from '../../../engine/identity/auth/authenticate.ts'
import { listWorkspaces } from '../../../engine/identity/workspaces/workspaces.ts'
import { CarrelError } from '../../../errors.ts'

/** What is asked of a person who has signed in. */
export interface KeyQuestion {
  accountId: string
  name: string
  workspaces: { id: string; name: string }[]
  selectedId: string
  keyName: string
}

/**
 * Returns the workspaces of which the holder of a token may create keys. Throws `unauthenticated` for a token that is
 * not valid, and `forbidden` where there is no such workspace.
 */
export async function questionFor(engine: Engine, credential: string): Promise<KeyQuestion> {
  const caller = await authenticateAny(engine, credential)
  assertScope(caller, 'account')
  const workspaces = (await listWorkspaces(engine, caller)).filter(
    ({ role, deleteAtMs }) => covers(role, 'admin') && deleteAtMs === null,
  )
  if (workspaces.length === 0)
    throw new CarrelError('forbidden', 'Cannot create an API key: this takes an admin of the workspace')
  const { email, name } = await profileOf(engine, caller)
  const selected = workspaces.find(({ id }) => id === caller.accountId) ?? workspaces[0]!
  const keyName = `Command line, ${new Date().toISOString().slice(0, 10)}`
  return { accountId: caller.accountId, name: email ?? name, workspaces, selectedId: selected.id, keyName }
}
