import { enterSession, type EnteredSession } from '../engine/computers/access-sessions/enter-session.ts'
import { isAccessToken } from '../engine/computers/access-sessions/access-session.ts'
import type { Engine } from '../engine/engine.ts'
import { CarrelError } from '../errors.ts'

/**
 * Returns the access session of a user and a password: the handle or the id of a computer, and the token of a session
 * of the kind `vnc` or `browser` of it. Throws `unauthenticated`, with the same words whatever is wrong.
 */
export async function admit(
  engine: Engine,
  { user, password }: { user: string; password: string },
): Promise<EnteredSession> {
  for (const kind of isAccessToken(password) ? (['vnc', 'browser'] as const) : []) {
    const session = await sessionOf(engine, kind, password)
    const { id, name } = session?.computer.row ?? {}
    if (session && (user === id || user.toLowerCase() === name)) return session
  }
  throw new CarrelError('unauthenticated', notAdmitted)
}

const notAdmitted =
  'Cannot log in: the user name is the handle of the computer, and the password the token of an access session of the kind vnc'

async function sessionOf(engine: Engine, kind: 'vnc' | 'browser', token: string): Promise<EnteredSession | undefined> {
  try {
    return await enterSession(engine, kind, token)
  } catch (error) {
    if (error instanceof CarrelError && error.code === 'unauthenticated') return undefined
    throw error
  }
}
