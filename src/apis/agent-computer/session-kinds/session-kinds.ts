import type { AccessSession } from '../../../engine/types.ts'
import { execSession } from './exec-session.ts'
import { browserSession, vncSession } from './page-sessions.ts'
import type { SessionKind } from './session-kind.ts'
import { sshSession } from './ssh-session.ts'

/** What each kind of access session opens. */
export const sessionKinds: Record<AccessSession['kind'], SessionKind> = {
  browser: browserSession,
  vnc: vncSession,
  ssh: sshSession,
  exec: execSession,
}
