import type { Authenticated } from '../../engine/identity/accounts/tokens.ts'
import type { Engine } from '../../engine/engine.ts'
import { enterWorkspace } from '../../engine/identity/workspaces/enter-workspace.ts'
import { changeRole, listMembers, removeMember } from '../../engine/identity/workspaces/members.ts'
import type { App } from '../../http/app.ts'
import { memberOut } from './mapping.ts'
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
      return { members: (await listMembers(engine, accountId)).map(memberOut) }
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
            'Takes an admin who is signed in, and an owner where owners are made or unmade. The last owner stays one. What somebody who becomes less had invited is taken back.',
        },
      },
    },
    async ({ params, body, caller }) => {
      const acting = await enterWorkspace(engine, caller, params.workspaceId)
      return memberOut(await changeRole(engine, acting, memberIn(params.userId, acting), body.role))
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
            'With a member go the API keys that they made in the workspace, and their invitations. Takes an admin who is signed in, for an owner an owner, for oneself ("me") no role. The last owner stays.',
        },
      },
    },
    async ({ params, caller }) => {
      const acting = await enterWorkspace(engine, caller, params.workspaceId)
      const userId = memberIn(params.userId, acting)
      await removeMember(engine, acting, userId)
      return { message: 'The member was removed', user_id: userId }
    },
  )
}

function memberIn(userId: string, caller: Authenticated): string {
  return userId === 'me' ? (caller.userId ?? userId) : userId
}
