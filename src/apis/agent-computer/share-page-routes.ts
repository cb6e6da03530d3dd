import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { sharedKind, type OpenedShare } from '../../engine/computers/shares/open-share.ts'
import type { Engine } from '../../engine/engine.ts'
import { asCarrelError, type ErrorCode } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { readForms } from '../../http/form-body.ts'
import { pageHeaders } from '../../http/pages/page.ts'
import { object } from '../schema.ts'
import { openShareSession } from './open-share-session.ts'
import type { ShareVisits } from './share-visits.ts'
import { noSharePage, refusals, refusedSharePage, sharePage, type SharedComputer } from './share-page.ts'
import { shareTokenParams } from './share-schemas.ts'
import { sessionKinds } from './session-kinds/session-kinds.ts'

const form = Type.Optional(object({ kind: Type.Optional(Type.Enum(['browser', 'vnc'])) }))

/**
 * Adds the page of a share's link. To look at it opens and counts nothing, as programs look at each link in a chat; its
 * button does.
 */
export function addSharePage(app: App, engine: Engine, visits: ShareVisits): void {
  const config = { public: true }
  app.get('/share/:token', { schema: { params: shareTokenParams }, config }, (request, reply) =>
    sendPage(reply, async () => {
      const opened = await visits.look(reply, request.params.token)
      reply.headers(await headersOf(engine, request.baseUrl, opened))
      return sharePage(sharedComputerOf(opened))
    }),
  )
  void app.register(async (scope: App) => {
    readForms(scope)
    scope.post('/share/:token', { schema: { params: shareTokenParams, body: form }, config }, (request, reply) =>
      sendPage(reply, async () => {
        const opened = await visits.enter(reply, request.params.token)
        const { session } = await openShareSession(engine, request, opened, request.body ?? {})
        return new URL(session.access_url)
      }),
    )
  })
}

/** Sends a page, or leads to another address; to a page that says what is wrong with the link, where something is. */
async function sendPage(reply: FastifyReply, answer: () => Promise<string | URL>): Promise<FastifyReply> {
  reply.headers({ ...pageHeaders, 'x-robots-tag': 'noindex' })
  try {
    const answered = await answer()
    return answered instanceof URL ? reply.redirect(answered.href, 303) : reply.send(answered)
  } catch (error) {
    const { code, status } = asCarrelError(error)
    if (code === 'not_found') return reply.status(status).send(noSharePage())
    if (isExplained(code)) return reply.status(status).send(refusedSharePage(code))
    throw error
  }
}

function isExplained(code: ErrorCode): code is keyof typeof refusals {
  return Object.hasOwn(refusals, code)
}

function sharedComputerOf({ share, computer: { row }, workspaceName }: OpenedShare): SharedComputer {
  return {
    name: row.display_name ?? row.name ?? '',
    workspaceName,
    state: row.state,
    opens: { browser: share.allow_browser === 1, vnc: share.allow_vnc === 1 },
    expiresAtMs: share.expires_at,
  }
}

/** Browsers apply the policy on forms to the address that the answer leads to, too. */
async function headersOf(engine: Engine, origin: string, opened: OpenedShare): Promise<Record<string, string>> {
  const { computer } = opened
  const entry = await sessionKinds[sharedKind(opened)].entryOf({ engine, origin, computer, token: undefined })
  const policy = pageHeaders['content-security-policy']
  const target = new URL(entry.access_url).origin
  return { 'content-security-policy': policy.replace("form-action 'self'", `form-action 'self' ${target}`) }
}
