import type { FastifyRequest } from 'fastify'
import type { AccessibleComputer } from '../../engine/computers/access/open-computer.ts'
import type { Engine } from '../../engine/engine.ts'
import type { AccessSession } from '../../engine/types.ts'
import { isoTime, isoTimeOrNull } from '../iso-time.ts'
import { sessionKinds } from './session-kinds/session-kinds.ts'

interface Shown {
  computer: AccessibleComputer<'run'>
  session: AccessSession
  token?: string
}

/** Returns an access session as clients see it; with its token where that is known. */
export async function sessionAnswerOf(
  engine: Engine,
  { baseUrl }: FastifyRequest,
  { computer, session, token }: Shown,
) {
  const entry = await sessionKinds[session.kind].entryOf({ engine, origin: baseUrl, computer, token })
  return {
    session: {
      id: session.id,
      computer_id: session.computer_id,
      kind: session.kind,
      state: session.state,
      ...entry,
      connect_token: token ?? null,
      created_at: isoTime(session.created_at),
      expires_at: isoTime(session.expires_at),
      revoked_at: isoTimeOrNull(session.revoked_at),
    },
  }
}
