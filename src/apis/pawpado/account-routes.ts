import { cancelDeletion } from '../../engine/deletion/cancel-deletion.ts'
import { scheduleDeletion } from '../../engine/deletion/schedule-deletion.ts'
import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { isoTime } from '../iso-time.ts'
import { deletionAnswer } from './schemas.ts'

export function addAccountRoutes(app: App, engine: Engine): void {
  app.delete(
    '/api/v1/account/delete',
    {
      schema: { response: { 200: deletionAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'Schedule the deletion of the account and everything in it (30-day grace)',
          notes:
            'Until then everything works as before. Signing in does not keep the account; POST /api/v1/account/cancel-deletion does. Repeating the request does not change the date. Requires the token of a sign-in.',
          errors: ['forbidden', 'conflict', 'rate_limited'],
        },
      },
    },
    async ({ caller }) => {
      const deleteAt = isoTime(await scheduleDeletion(engine, caller))
      const message = `The account and everything in it will be deleted at ${deleteAt}. Until then POST /api/v1/account/cancel-deletion keeps it.`
      return { deleteAt, message }
    },
  )
  app.post(
    '/api/v1/account/cancel-deletion',
    {
      schema: { response: { 200: deletionAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'Keep an account that is scheduled for deletion',
          notes: 'Has no effect on an account that is not scheduled for deletion. Requires the token of a sign-in.',
          errors: ['forbidden', 'conflict', 'rate_limited'],
        },
      },
    },
    async ({ caller }) => {
      await cancelDeletion(engine, caller)
      return { deleteAt: null, message: 'The account will not be deleted.' }
    },
  )
}
