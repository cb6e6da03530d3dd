import type { Engine } from '../../engine/engine.ts'
import { enterWorkspace } from '../../engine/identity/workspaces/enter-workspace.ts'
import {
  createWorkspace,
  listWorkspaces,
  renameWorkspace,
  workspaceOf,
} from '../../engine/identity/workspaces/workspaces.ts'
import type { App } from '../../http/app.ts'
import { workspaceAnswerOf } from './mapping.ts'
import { workspaceAnswer, workspaceBody, workspaceParams, workspacesAnswer } from './schemas.ts'

/** Adds the routes of workspaces. A user's token reaches every workspace of the user, an API key only its own. */
export function addWorkspaceRoutes(app: App, engine: Engine): void {
  app.get(
    '/v1/workspaces',
    {
      schema: { response: { 200: workspacesAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'List the workspaces that the token can use',
          notes:
            'For the token of a user, all workspaces that the user is a member of. To work in another workspace than "current", add its id to the token: Bearer <token>~<workspace_id>.',
        },
      },
    },
    async ({ caller }) => ({
      current: caller.accountId,
      workspaces: (await listWorkspaces(engine, caller)).map(workspaceAnswerOf),
    }),
  )
  app.post(
    '/v1/workspaces',
    {
      schema: { body: workspaceBody, response: { 200: workspaceAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'Create a workspace',
          example: { name: 'Research' },
          errors: ['forbidden', 'limit_reached'],
          notes:
            'You become its owner. The workspace has its own credit, which starts at zero. Requires the token of a user.',
        },
      },
    },
    async ({ body, caller }) => workspaceAnswerOf(await createWorkspace(engine, caller, body.name)),
  )
  app.get(
    '/v1/workspaces/:workspaceId',
    {
      schema: { params: workspaceParams, response: { 200: workspaceAnswer } },
      config: {
        scope: 'account',
        documentation: { description: 'Read a workspace', errors: ['not_found'] },
      },
    },
    async ({ params, caller }) =>
      workspaceAnswerOf(await workspaceOf(engine, await enterWorkspace(engine, caller, params.workspaceId))),
  )
  app.patch(
    '/v1/workspaces/:workspaceId',
    {
      schema: { params: workspaceParams, body: workspaceBody, response: { 200: workspaceAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'Rename a workspace',
          example: { name: 'Research 2' },
          errors: ['forbidden', 'not_found'],
          notes: 'Requires a signed-in admin.',
        },
      },
    },
    async ({ params, body, caller }) =>
      workspaceAnswerOf(
        await renameWorkspace(engine, await enterWorkspace(engine, caller, params.workspaceId), body.name),
      ),
  )
}
