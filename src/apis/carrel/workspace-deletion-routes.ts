import {
  cancelWorkspaceDeletion,
  scheduleWorkspaceDeletion,
} from '../../engine/deletion/schedule-workspace-deletion.ts'
import type { Engine } from '../../engine/engine.ts'
import { enterWorkspace } from '../../engine/identity/workspaces/enter-workspace.ts'
import type { App } from '../../http/app.ts'
import { isoTime } from '../iso-time.ts'
import { workspaceDeletionAnswer, workspaceParams } from './schemas.ts'

export function addWorkspaceDeletionRoutes(app: App, engine: Engine): void {
  app.delete(
    '/v1/workspaces/:workspaceId',
    {
      schema: { params: workspaceParams, response: { 200: workspaceDeletionAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'Schedule the deletion of a workspace and everything in it (30-day grace)',
          errors: ['forbidden', 'not_found', 'conflict'],
          notes:
            'Until then everything works as before, and POST /v1/workspaces/:workspaceId/cancel-deletion keeps it. Repeating the request does not change the date. Requires a signed-in owner. Your personal workspace is deleted with your account: DELETE /api/v1/account/delete.',
        },
      },
    },
    async ({ params, caller }) => {
      const acting = await enterWorkspace(engine, caller, params.workspaceId)
      const deleteAt = isoTime(await scheduleWorkspaceDeletion(engine, acting))
      const message = `The workspace and everything in it will be deleted at ${deleteAt}. Until then POST /v1/workspaces/${acting.accountId}/cancel-deletion keeps it.`
      return { delete_at: deleteAt, message }
    },
  )
  app.post(
    '/v1/workspaces/:workspaceId/cancel-deletion',
    {
      schema: { params: workspaceParams, response: { 200: workspaceDeletionAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'Keep a workspace that is scheduled for deletion',
          errors: ['forbidden', 'not_found', 'conflict'],
          notes: 'Has no effect on a workspace that is not scheduled for deletion. Requires a signed-in owner.',
        },
      },
    },
    async ({ params, caller }) => {
      await cancelWorkspaceDeletion(engine, await enterWorkspace(engine, caller, params.workspaceId))
      return { delete_at: null, message: 'The workspace will not be deleted.' }
    },
  )
}
