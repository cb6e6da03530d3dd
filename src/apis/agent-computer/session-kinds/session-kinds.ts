import type { AccessSession } from '../../../engine/types.ts'
import { CarrelError } from '../../../errors.ts'
import { execSession } from './exec-session.ts'
import type { SessionKind } from './session-kind.ts'
import { sshSession } from './ssh-session.ts'

/** What each kind of access session opens; undefined where this server does not have it. */
const sessionKinds: Record<AccessSession['kind'], SessionKind | undefined> = {
  browser: undefined,
  vnc: undefined,
  ssh: sshSession,
  exec: execSession,
}

/** Returns a kind of access session. Throws `not_set_up` for one that this server does not have. */
export function sessionKindOf(kind: AccessSession['kind']): SessionKind {
  const found = sessionKinds[kind]
  if (found) return found
  throw new CarrelError('not_set_up', `Cannot create an access session: this server has none of the kind "${kind}"`, {
    details: { field: 'kind' },
  })
}
