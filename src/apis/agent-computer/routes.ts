import { Type } from 'typebox'
import { profileOf } from '../../engine/accounts/users.ts'
import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { addBillingRoutes } from './billing-routes.ts'

const meAnswer = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    email: Type.String({ description: 'Empty when none is known' }),
    workspace_id: Type.String({ description: 'The workspace that the token is for' }),
    created_at: Type.String({ description: 'UTC, ISO 8601' }),
    delete_at: Type.Optional(
      Type.String({ description: 'When everything goes, of an account that is scheduled for deletion; UTC, ISO 8601' }),
    ),
  },
  { additionalProperties: false },
)

/** The Agent Computer surface: the account. */
export function addAgentComputerRoutes(app: App, engine: Engine): void {
  app.get(
    '/v1/me',
    {
      schema: { response: { 200: meAnswer } },
      config: {
        scope: 'any',
        documentation: {
          description: 'Read the current account',
          returns: '{ id, name, email, workspace_id, created_at }',
        },
      },
    },
    async ({ caller }) => {
      const { id, name, email, createdAtMs, deleteAtMs } = await profileOf(engine, caller)
      return {
        id,
        name,
        email,
        workspace_id: caller.accountId,
        created_at: new Date(createdAtMs).toISOString(),
        ...(deleteAtMs === null ? {} : { delete_at: new Date(deleteAtMs).toISOString() }),
      }
    },
  )
  addBillingRoutes(app, engine)
}
