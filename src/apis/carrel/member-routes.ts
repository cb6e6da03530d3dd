import type { Authenticated } from '../../engine/identity/accounts/tokens.ts'
import type { Engine } from '../../engine/engine.ts'
import { enterWorkspace } from '../../engine/identity/workspaces/enter-workspace.ts'
import { changeRole, listMembers, removeMember } from '../../engine/identity/workspaces/members.ts'
import type { App } from '../../http/app.ts'
import { memberAnswerOf } from './mapping.ts'
import { memberAnswer, memberParams, membersAnswer, removedAnswer, roleBody, workspaceParams } from './schemas.ts'

export function addMemberRoutes(app: App, engine: Engine): void {
  app.get(
    '/v1/workspaces/:workspaceId/members',
    {
      schema: { params: workspaceParams, response: { 200: membersAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'List the members of a workspace',
          errors: ['not_found'],
        },
      },
    },
    async ({ params, caller }) => {
      const { accountId } = await enterWorkspace(engine, caller, params.workspaceId)
      return { members: (await listMembers(engine, accountId)).map(memberAnswerOf) }
    },
  )
  app.patch(
    '/v1/workspaces/:workspaceId/members/:userId',
    {
      schema: { params: memberParams, body: roleBody, response: { 200: memberAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'Change the role of a member',
          example: { role: 'admin' },
          errors: ['forbidden', 'not_found', 'conflict'],
          notes:
            'Requires a signed-in admin, and an owner to make a member an owner or to change the role of an owner. The last owner cannot be demoted. Demoting a member revokes the invitations that they sent.',
        },
      },
    },
    async ({ params, body, caller }) => {
      const acting = await enterWorkspace(engine, caller, params.workspaceId)
      return memberAnswerOf(await changeRole(engine, acting, memberIdOf(params.userId, acting), body.role))
    },
  )
  app.delete(
    '/v1/workspaces/:workspaceId/members/:userId',
    {
      schema: { params: memberParams, response: { 200: removedAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'Remove a member, or leave',
          errors: ['forbidden', 'not_found', 'conflict'],
          notes:
            'Also revokes the API keys that the member created in the workspace, and their invitations. Requires a signed-in admin, an owner to remove an owner, and no particular role to leave ("me"). The last owner cannot leave or be removed.',
        },
      },
    },
    async ({ params, caller }) => {
      const acting = await enterWorkspace(engine, caller, params.workspaceId)
      const userId = memberIdOf(params.userId, acting)
      await removeMember(engine, acting, userId)
      return { message: 'The member was removed', user_id: userId }
    },
  )
}

function memberIdOf(userId: string, caller: Authenticated): string {
  return userId === 'me' ? (caller.userId ?? userId) : userId
}
