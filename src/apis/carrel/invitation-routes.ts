import type { FastifyReply } from 'fastify'
import type { Engine } from '../../engine/engine.ts'
import { acceptInvitation, readInvitation } from '../../engine/identity/workspaces/accept-invitation.ts'
import { enterWorkspace } from '../../engine/identity/workspaces/enter-workspace.ts'
import { invite, listInvitations, revokeInvitation } from '../../engine/identity/workspaces/invitations.ts'
import { asCarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { readForms } from '../../http/form-body.ts'
import { networkOfRequest } from '../../http/network-of.ts'
import { pageHeaders } from '../../http/user-page.ts'
import { joinedPage, invitationPage, refusedInvitationPage } from './invitation-page.ts'
import { pageOrJson } from '../schema.ts'
import { invitationOut } from './mapping.ts'
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
          description: 'List the invitations that are not answered yet',
          errors: ['not_found'],
        },
      },
    },
    async ({ params, caller }) => {
      const { accountId } = await enterWorkspace(engine, caller, params.workspaceId)
      return { invitations: (await listInvitations(engine, accountId)).map(invitationOut) }
    },
  )
  app.post(
    '/v1/workspaces/:workspaceId/invitations',
    {
      schema: { params: workspaceParams, body: inviteBody, response: { 200: invitationAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'Invite somebody into a workspace by mail',
          example: { email: 'you@example.com', role: 'member' },
          errors: ['forbidden', 'not_found', 'already_exists', 'conflict', 'limit_reached', 'rate_limited'],
          notes:
            'Takes an admin who is signed in and has signed in by mail once, and for an owner an owner; no API key. The link works once, within 7 days; inviting again ends the old one. A role is "member" by default.',
        },
      },
    },
    async (request) => {
      const { params, caller } = request
      const { email, role = 'member' } = request.body
      const network = networkOfRequest(request)
      const there = await enterWorkspace(engine, caller, params.workspaceId)
      return invitationOut(await invite(engine, there, { email, role, network }))
    },
  )
  app.delete(
    '/v1/workspaces/:workspaceId/invitations/:invitationId',
    {
      schema: { params: invitationParams, response: { 200: revokedAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'Take an invitation back',
          errors: ['forbidden', 'not_found'],
          notes: 'Takes an admin who is signed in.',
        },
      },
    },
    async ({ params, caller }) => {
      const acting = await enterWorkspace(engine, caller, params.workspaceId)
      await revokeInvitation(engine, acting, params.invitationId)
      return { message: 'The invitation was taken back', invitation_id: params.invitationId }
    },
  )
  addAnswerRoutes(app, engine)
}

/** What the link in the message leads to. Looking at it accepts nothing: programs that scan mail look at every link. */
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
    async ({ query, headers }, reply) =>
      orPage(headers.accept, reply, async (isPage) => {
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
              'Makes the person of the address a member, and signs nobody in: a token of theirs works in the workspace as <token>~<workspace_id>.',
            answers: { 200: pageOrJson('A page that says how to work there', acceptAnswer) },
          },
        },
      },
      async (request, reply) =>
        orPage(request.headers.accept, reply, async (isPage) => {
          const network = networkOfRequest(request)
          const accepted = await acceptInvitation(engine, { code: request.body.token, network })
          const { userId, workspaceId, role } = accepted
          reply.header('cache-control', 'no-store')
          return isPage ? joinedPage(accepted, request.baseUrl) : { user_id: userId, workspace_id: workspaceId, role }
        }),
    )
  })
}

/** To a browser a page, also of why it does not work. */
async function orPage(
  accept: string | undefined,
  reply: FastifyReply,
  answer: (isPage: boolean) => Promise<string | object>,
): Promise<FastifyReply> {
  const isPage = accept?.includes('text/html') ?? false
  if (!isPage) return reply.send(await answer(false))
  reply.headers(pageHeaders)
  try {
    return await reply.send(await answer(true))
  } catch (error) {
    const known = asCarrelError(error)
    if (known.code !== 'unauthenticated' && known.code !== 'forbidden') throw error
    return reply.status(known.status).send(refusedInvitationPage(known.message, reply.request.baseUrl))
  }
}
