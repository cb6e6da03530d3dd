import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { limits } from '../../../config/limits.ts'
import {
  enterSession,
  whileEntered,
  type EnteredSession,
} from '../../../engine/computers/access-sessions/enter-session.ts'
import type { Engine } from '../../../engine/engine.ts'
import { unauthenticated, type Authenticated } from '../../../engine/identity/accounts/tokens.ts'
import { CarrelError } from '../../../errors.ts'
import { pageLabel } from '../../../http/computer-pages.ts'
import type { SocketEndpoint } from '../../../http/sockets/socket-endpoint.ts'
import type { SocketDoor } from '../../../http/sockets/socket-server.ts'
import { assertOwnOrigin } from './own-origin.ts'
import { pageCredential } from './page-cookie.ts'

/** Someone at the page of a computer, with an access session of it. */
export interface PageVisit {
  kind: PageKind
  session: EnteredSession
  /** Whether the visitor may look at the desktop and do nothing else. */
  viewOnly: boolean
}

/** The kinds of access sessions that open a page: all of it, or the desktop alone. */
const pageKinds = ['browser', 'vnc'] as const
export type PageKind = (typeof pageKinds)[number]

/** What a route or a WebSocket of the page is for: visitors of the desktop alone get no other. */
type Part = 'desktop' | 'everything'

/** A WebSocket of the page. */
export interface PageSocket extends SocketEndpoint {
  part: Part
}

const visits = new WeakMap<IncomingMessage, PageVisit>()

/** Returns the visit that a request or a handshake belongs to. */
export function visitOf(request: FastifyRequest | IncomingMessage): PageVisit {
  return visits.get('raw' in request ? request.raw : request)!
}

/** Returns the configuration of a route of the page: who may call it. */
export function openFor(engine: Engine, part: Part) {
  const callerOf = async ({ raw }: FastifyRequest): Promise<Authenticated> =>
    (await enter(engine, raw, part)).session.caller
  return { callerOf }
}

/** Returns what decides who may open a WebSocket of the page, and ends it with its session. */
export function pageDoor(engine: Engine): SocketDoor {
  return {
    enter: async (request, endpoint) => {
      const { session } = await enter(engine, request, (endpoint as PageSocket).part)
      return {
        caller: session.caller,
        token: '',
        lastAnswerMs: limits.lastSocketAnswerMs,
        whileAdmitted: (end) => whileEntered(engine, session, (reason) => end(reason, closeCodeOf(reason))),
      }
    },
  }
}

/**
 * Returns the session of a token that opens the page at a host. Throws `unauthenticated`, and says no more: a stranger does
 * not learn which computers exist.
 */
export async function enterPage(
  engine: Engine,
  host: string | undefined,
  token: string | undefined,
): Promise<PageVisit> {
  const label = pageLabel(host, engine.settings.previewDomain)
  for (const kind of token === undefined ? [] : pageKinds) {
    const session = await sessionOf(engine, kind, token!)
    if (!session) continue
    const { id, name } = session.computer.row
    if (label === id || label === name) return { kind, session, viewOnly: session.share?.viewOnly === true }
  }
  throw unauthenticated('the page needs an access session of its computer, which is not over')
}

async function enter(engine: Engine, request: IncomingMessage, part: Part): Promise<PageVisit> {
  const { token, isCookie } = pageCredential(engine.settings, request.headers)
  if (isCookie) assertOwnOrigin(engine.settings, request)
  const visit = await enterPage(engine, request.headers.host, token)
  if (part === 'everything' && (visit.kind === 'vnc' || visit.viewOnly))
    throw new CarrelError('forbidden', 'Cannot accept the request: the access session opens the desktop alone')
  visits.set(request, visit)
  return visit
}

async function sessionOf(engine: Engine, kind: PageKind, token: string): Promise<EnteredSession | undefined> {
  try {
    return await enterSession(engine, kind, token)
  } catch (error) {
    if (error instanceof CarrelError && error.code === 'unauthenticated') return undefined
    throw error
  }
}

/** Returns the code with which a WebSocket is closed: the page tells its visitor what has ended. */
function closeCodeOf(reason: string): number {
  return reason.startsWith('the computer ') ? closeCodes.computerGone : closeCodes.sessionOver
}

/** The codes with which a WebSocket of the page is closed, beyond those of RFC 6455. */
export const closeCodes = { sessionOver: 4401, computerGone: 4409, limit: 1013, failure: 1011 } as const
