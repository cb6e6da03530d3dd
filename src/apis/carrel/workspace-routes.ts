import type { Engine } from '../../engine/engine.ts'
import { enterWorkspace } from '../../engine/identity/workspaces/enter-workspace.ts'
import {
  createWorkspace,
  listWorkspaces,
  renameWorkspace,
  workspaceOf,
} from '../../engine/identity/workspaces/workspaces.ts'
import type { App } from '../../http/app.ts'
import { workspaceOut } from './mapping.ts'
import { workspaceAnswer, workspaceBody, workspaceParams, workspacesAnswer } from './schemas.ts'

/** Workspaces, their members and invitations. A person names any of theirs, an API key its own alone. */
export function addWorkspaceRoutes(app: App, engine: Engine): void {
  app.get(
    '/v1/workspaces',
    {
      schema: { response: { 200: workspacesAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'List the workspaces that the token opens',
          notes:
            'Of a person all that they are a member of. To work in another one than "current", write its id behind the token: Bearer <token>~<workspace_id>.',
        },
      },
    },
    async ({ caller }) => ({
      current: caller.accountId,
      workspaces: (await listWorkspaces(engine, caller)).map(workspaceOut),
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
          notes: 'You are its owner. It has credit of its own, and none to begin with. Takes the token of a person.',
        },
      },
    },
    async ({ body, caller }) => workspaceOut(await createWorkspace(engine, caller, body.name)),
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
      workspaceOut(await workspaceOf(engine, await enterWorkspace(engine, caller, params.workspaceId))),
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
          notes: 'Takes an admin who is signed in.',
        },
      },
    },
    async ({ params, body, caller }) =>
      workspaceOut(await renameWorkspace(engine, await enterWorkspace(engine, caller, params.workspaceId), body.name)),
  )
}
