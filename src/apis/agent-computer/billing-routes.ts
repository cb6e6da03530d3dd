import { changeLimits, readLimits } from '../../engine/identity/workspaces/workspace-limits.ts'
import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { changeOf, ownChangeOf, preferencesOf } from './mapping.ts'
import { preferencesAnswer, preferencesBody } from './schemas.ts'

/** Adds `/v1/billing/preferences`: the spending limits of the workspace and of its API keys. */
export function addBillingRoutes(app: App, engine: Engine): void {
  app.get(
    '/v1/billing/preferences',
    {
      schema: { response: { 200: preferencesAnswer } },
      config: { scope: 'any', documentation: { description: 'Read billing preferences' } },
    },
    async ({ caller }) => preferencesOf(caller.accountId, await readLimits(engine, caller.accountId)),
  )
  app.patch(
    '/v1/billing/preferences',
    {
      schema: { body: preferencesBody, response: { 200: preferencesAnswer } },
      config: {
        refusesUnknownFields: true,
        scope: 'account',
        documentation: {
          description: 'Update billing preferences for the current account or org',
          example: { daily_limit_cents: 500, monthly_limit_cents: null },
          errors: ['forbidden', 'not_found', 'conflict', 'not_set_up'],
          notes:
            'Sets spending limits of the workspace and of its API keys. All changes are made, or none; limits that are left out stay as they are. When a limit is reached, the work that it covers is stopped, and refused with SPENDING_LIMIT_REACHED until the next day or month. Requires an admin, and a token with the scope "account". An API key can only lower its own limits and those of the keys that it made. A field that this route does not have is refused, since a misspelt limit would grant more.',
        },
      },
    },
    async ({ body: { keys = [], ...own }, caller }) => {
      const changed = [ownChangeOf(own), ...keys.map(({ key_id, ...rest }) => ({ keyId: key_id, ...changeOf(rest) }))]
      return preferencesOf(caller.accountId, await changeLimits(engine, caller, changed))
    },
  )
}
