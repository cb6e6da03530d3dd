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
            'Fields that are left out keep their values. If one field is invalid, nothing is changed. An API key of a shared workspace cannot change the preferences of its user.',
          example: { timezone: 'Asia/Jakarta', theme: 'dark' },
          errors: ['forbidden', 'rate_limited'],
        },
      },
    },
    ({ body, caller }) => changeUserSettings(engine, caller, body),
  )
}
