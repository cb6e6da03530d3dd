import { assertScope } from '../../identity/accounts/tokens.ts'
import { authenticateAny } from '../../identity/auth/authenticate.ts'
import type { IdentityContext } from '../../identity/identity.ts'
import { findComputer } from '../access/open-computer.ts'
import { isAccessToken } from '../access-sessions/access-session.ts'
import { enterByPort, enterSession, whileEntered } from '../access-sessions/enter-session.ts'
import { parsePortToken } from '../access-sessions/port-token.ts'
import type { ComputersContext } from '../computers.ts'

/** Someone who may open the private ports of a computer. */
export interface PortVisitor {
  /** Calls `end` when that is over. Returns a function to call when what it ends is over. */
  whileAllowed: (end: () => void) => () => void
}

export type VisitorContext = Pick<
  ComputersContext,
  'db' | 'node' | 'images' | 'openSessions' | 'liveEvents' | 'liveConnections'
> &
  Pick<IdentityContext, 'settings' | 'prices' | 'accessTokens' | 'issuers' | 'authCache'>

/**
 * Returns the visitor of a computer's port with a credential: the token of a `browser` session of the computer, one that
 * such a session has for this port, or any token of an account that may use the computer. Returns undefined for every other, whatever the reason: a visitor of a
 * private port learns nothing of it.
 */
export async function portVisitor(
  engine: VisitorContext,
  { computerId, port }: { computerId: string; port: number },
  credential: string,
): Promise<PortVisitor | undefined> {
  try {
    if (isAccessToken(credential)) {
      const ofPort = parsePortToken(credential)
      const entered = await (ofPort ? enterByPort(engine, port, ofPort) : enterSession(engine, 'browser', credential))
      if (entered.computer.id !== computerId) return undefined
      return { whileAllowed: (end) => whileEntered(engine, entered, end) }
    }
    const caller = await authenticateAny(engine, credential)
    assertScope(caller, 'compute')
    if (!(await findComputer(engine, caller, { id: computerId }, 'look'))) return undefined
    return { whileAllowed: (end) => engine.liveConnections.add(caller, end) }
  } catch {
    return undefined
  }
}
