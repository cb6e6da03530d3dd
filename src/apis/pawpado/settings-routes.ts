import { changeUserSettings, readUserSettings } from '../../engine/identity/accounts/user-settings.ts'
import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { settingsAnswer, settingsBody } from './schemas.ts'

export function addSettingsRoutes(app: App, engine: Engine): void {
  app.get(
    '/api/v1/settings',
    {
      schema: { response: { 200: settingsAnswer } },
      config: {
        scope: 'any',
        documentation: { description: 'Read preferences' },
      },
    },
    ({ caller }) => readUserSettings(engine, caller),
  )
  app.patch(
    '/api/v1/settings',
    {
      schema: { body: settingsBody, response: { 200: settingsAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'Update preferences (partial)',
          notes:
            'What is left out stays as it is. One wrong field, and nothing is changed. An API key of a shared workspace changes nothing of its person.',
          example: { timezone: 'Asia/Jakarta', theme: 'dark' },
          errors: ['forbidden', 'rate_limited'],
        },
      },
    },
    ({ body, caller }) => changeUserSettings(engine, caller, body),
  )
}
