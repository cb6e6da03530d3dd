import type { FastifyRequest } from 'fastify'
import { limits } from '../../config/limits.ts'
import { createSession } from '../../engine/computers/access-sessions/create-session.ts'
import { sharedKind, type OpenedShare } from '../../engine/computers/shares/open-share.ts'
import type { Engine } from '../../engine/engine.ts'
import type { AccessSession } from '../../engine/types.ts'
import { sessionAnswerOf } from './session-answer.ts'
import { sessionKinds } from './session-kinds/session-kinds.ts'

interface WantedSession {
  kind?: AccessSession['kind'] | undefined
  ttl_seconds?: number | undefined
}

/** Opens a computer by the link of a share, which counts as a use. Returns the session with its token. */
export async function openShareSession(
  engine: Engine,
  request: FastifyRequest,
  opened: OpenedShare,
  { kind: wanted, ttl_seconds: ttlS }: WantedSession,
) {
  const { computer, visitor, share } = opened
  const kind = sharedKind(opened, wanted)
  // Refuses what the server is not set up for before anything is made.
  await sessionKinds[kind].entryOf({ engine, origin: request.baseUrl, computer, token: undefined })
  const lifeMs = ttlS === undefined ? limits.accessSessionDefaultMs : ttlS * 1000
  const { session, token } = await createSession(engine, computer, visitor, { kind, lifeMs, shareId: share.id })
  return sessionAnswerOf(engine, request, { computer, session, token })
}
