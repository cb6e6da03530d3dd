import type { FastifyReply } from 'fastify'
import type { Engine } from '../../engine/engine.ts'
import { acceptInvitation, readInvitation } from '../../engine/identity/workspaces/accept-invitation.ts'
import { enterWorkspace } from '../../engine/identity/workspaces/enter-workspace.ts'
import { invite, listInvitations, revokeInvitation } from '../../engine/identity/workspaces/invitations.ts'
import { asCarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { readForms } from '../../http/form-body.ts'
import { networkOfRequest } from '../../http/network-of.ts'
import { pageHeaders } from '../../http/pages/page.ts'
import { prefersHtml } from '../../http/prefers-html.ts'
import { joinedPage, invitationPage, refusedInvitationPage } from './invitation-page.ts'
import { pageOrJson } from '../schema.ts'
import { invitationAnswerOf } from './mapping.ts'
import {
  acceptAnswer,
  acceptBody,
  invitationAnswer,
  invitationParams,
  invitationsAnswer,
  inviteBody,
  readInvitationAnswer,
  revokedAnswer,
  workspaceParams,
} from './schemas.ts'

export function addInvitationRoutes(app: App, engine: Engine): void {
  app.get(
    '/v1/workspaces/:workspaceId/invitations',
    {
      schema: { params: workspaceParams, response: { 200: invitationsAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'List the open invitations of a workspace',
          errors: ['not_found'],
        },
      },
    },
    async ({ params, caller }) => {
      const { accountId } = await enterWorkspace(engine, caller, params.workspaceId)
      return { invitations: (await listInvitations(engine, accountId)).map(invitationAnswerOf) }
    },
  )
  app.post(
    '/v1/workspaces/:workspaceId/invitations',
    {
      schema: { params: workspaceParams, body: inviteBody, response: { 200: invitationAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'Invite a user to a workspace by email',
          example: { email: 'you@example.com', role: 'member' },
          errors: ['forbidden', 'not_found', 'already_exists', 'conflict', 'limit_reached', 'rate_limited'],
          notes:
            'Requires a signed-in admin who has signed in by email before, and an owner to invite an owner; API keys cannot invite. The link works once, within 7 days; inviting again revokes the old link. The default role is "member".',
        },
      },
    },
    async (request) => {
      const { params, caller } = request
      const { email, role = 'member' } = request.body
      const network = networkOfRequest(request)
      const acting = await enterWorkspace(engine, caller, params.workspaceId)
      return invitationAnswerOf(await invite(engine, acting, { email, role, network }))
    },
  )
  app.delete(
    '/v1/workspaces/:workspaceId/invitations/:invitationId',
    {
      schema: { params: invitationParams, response: { 200: revokedAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'Revoke an invitation',
          errors: ['forbidden', 'not_found'],
          notes: 'Requires a signed-in admin.',
        },
      },
    },
    async ({ params, caller }) => {
      const acting = await enterWorkspace(engine, caller, params.workspaceId)
      await revokeInvitation(engine, acting, params.invitationId)
      return { message: 'The invitation was revoked', invitation_id: params.invitationId }
    },
  )
  addAnswerRoutes(app, engine)
}

/** Adds the page of an invitation's link. Opening it accepts nothing: programs that scan mail open every link. */
function addAnswerRoutes(app: App, engine: Engine): void {
  app.get(
    '/invitation',
    {
      schema: { querystring: acceptBody },
      config: {
        public: true,
        signIn: true,
        documentation: {
          description: 'Read an invitation',
          example: { token: 'the-code-of-the-link' },
          errors: ['unauthenticated', 'rate_limited'],
          answers: { 200: pageOrJson('A page that asks whether to accept', readInvitationAnswer) },
        },
      },
    },
    async ({ query }, reply) =>
      sendPageOrJson(reply, async (isPage) => {
        const { email, role, workspaceName, inviter } = await readInvitation(engine, query.token)
        return isPage
          ? invitationPage({ email, role, workspaceName, inviter: inviter ?? '', code: query.token })
          : { email, role, workspace: workspaceName, inviter: inviter ?? '' }
      }),
  )
  void app.register(async (scope: App) => {
    readForms(scope)
    scope.post(
      '/invitation',
      {
        schema: { body: acceptBody },
        config: {
          public: true,
          signIn: true,
          documentation: {
            description: 'Accept an invitation',
            example: { token: 'the-code-of-the-link' },
            errors: ['unauthenticated', 'forbidden', 'rate_limited'],
            notes:
              'Makes the user with that email address a member, without signing in. The user works in the workspace with their token as <token>~<workspace_id>.',
            answers: { 200: pageOrJson('A page that says how to use the workspace', acceptAnswer) },
          },
        },
      },
      async (request, reply) =>
        sendPageOrJson(reply, async (isPage) => {
          const network = networkOfRequest(request)
          const accepted = await acceptInvitation(engine, { code: request.body.token, network })
          const { userId, workspaceId, role } = accepted
          reply.header('cache-control', 'no-store')
          return isPage ? joinedPage(accepted, request.baseUrl) : { user_id: userId, workspace_id: workspaceId, role }
        }),
    )
  })
}

/** Answers a browser with a page, also for an error about the link, and other clients with JSON. */
async function sendPageOrJson(
  reply: FastifyReply,
  answer: (isPage: boolean) => Promise<string | object>,
): Promise<FastifyReply> {
  if (!prefersHtml(reply.request.headers)) return reply.send(await answer(false))
  reply.headers(pageHeaders)
  try {
    return await reply.send(await answer(true))
  } catch (error) {
    const known = asCarrelError(error)
    if (known.code !== 'unauthenticated' && known.code !== 'forbidden') throw error
    return reply.status(known.status).send(refusedInvitationPage(known.message))
  }
}
