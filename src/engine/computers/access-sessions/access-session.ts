import type { AccessSessionRow, ComputerRow } from '../../../db/schema.ts'

/** What is shown of an access session: everything but its token. */
export type AccessSession = Omit<AccessSessionRow, 'hash'> & { state: AccessSessionState }

/** `ended` is the state of a session whose computer has stopped, or belongs to another workspace. */
export type AccessSessionState = 'active' | 'expired' | 'revoked' | 'ended'

/** Returns the state of a session of a computer, which is a session of this run and this workspace or `ended`. */
export function stateOfSession(
  session: Pick<AccessSessionRow, 'account_id' | 'run_started_at' | 'expires_at' | 'revoked_at'>,
  computer: Pick<ComputerRow, 'account_id' | 'state' | 'started_at'>,
): AccessSessionState {
  if (session.revoked_at !== null) return 'revoked'
  if (session.expires_at <= Date.now()) return 'expired'
  const isSameRun = computer.state === 'running' && computer.started_at === session.run_started_at
  return isSameRun && computer.account_id === session.account_id ? 'active' : 'ended'
}

/** What the token of every access session begins with. */
export const accessTokenPrefix = 'pp_access_'

/** Returns whether a credential is the token of an access session. */
export function isAccessToken(credential: string): boolean {
  return credential.startsWith(accessTokenPrefix)
}
