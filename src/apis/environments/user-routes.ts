import { createApiKey, listApiKeys, revokeApiKey } from '../../engine/identity/accounts/api-keys.ts'
import { profileOf } from '../../engine/identity/accounts/users.ts'
import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { keyOf, userOf } from './mapping.ts'
import {
  createKeyAnswer,
  createKeyBody,
  listKeysAnswer,
  revokeKeyAnswer,
  revokeKeyBody,
  userAnswer,
} from './schemas.ts'

export function addUserRoutes(app: App, engine: Engine): void {
  app.get(
    '/users/me',
    {
      schema: { response: { 200: userAnswer } },
      config: {
        scope: 'any',
        documentation: {
          description: 'Get current user information',
        },
      },
    },
    async ({ caller }) => userOf(await profileOf(engine, caller)),
  )
  app.get(
    '/users/me/api-keys',
    {
      schema: { response: { 200: listKeysAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'List the API keys of the current user',
          notes: 'The secrets are not shown. last_used_at is accurate to the minute.',
        },
      },
    },
    async ({ caller }) => ({ api_keys: (await listApiKeys(engine, caller.accountId)).map(keyOf) }),
  )
  app.post(
    '/users/me/api-keys',
    {
      schema: { body: createKeyBody, response: { 200: createKeyAnswer } },
      config: {
        refusesUnknownFields: true,
        scope: 'account',
        documentation: {
          description: 'Create a new API key for the current user',
          notes:
            'The secret (ak_...) is shown only once. A key that was created with another key ends with that key. A field that this route does not have is refused, since a misspelt limit would grant more.',
          example: { name: 'ci' },
          errors: ['forbidden', 'limit_reached'],
        },
      },
    },
    async ({ body, caller }) => {
      const { secret, ...key } = await createApiKey(engine, caller, {
        name: body.name ?? '',
        scopes: body.scopes,
        lifeMs: body.expires_in === undefined ? undefined : body.expires_in * 1000,
      })
      return { ...keyOf(key), api_key: secret }
    },
  )
  app.delete(
    '/users/me/api-keys',
    {
      schema: { body: revokeKeyBody, response: { 200: revokeKeyAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'Revoke an API key for the current user',
          example: { key_id: 'k3y0fth3acc0unt00000' },
          errors: ['forbidden', 'not_found'],
          notes:
            'The key and the keys that were created with it are refused from the next request on. An API key can revoke only itself and the keys that were created with it.',
        },
      },
    },
    async ({ body, caller }) => {
      await revokeApiKey(engine, caller, body.key_id)
      return { message: 'The API key was revoked', revoked_key_id: body.key_id }
    },
  )
}
