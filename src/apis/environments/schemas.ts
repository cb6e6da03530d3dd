import { Type } from 'typebox'
import { limits } from '../../config/limits.ts'
import { scopes } from '../../engine/identity/accounts/tokens.ts'
import { patterns } from '../../http/patterns.ts'
import { object } from '../schema.ts'

const nullableText = Type.Union([Type.String(), Type.Null()])
const time = Type.String({ description: 'UTC, ISO 8601' })
const nullableTime = Type.Union([time, Type.Null()])

export const userAnswer = object({
  user_id: Type.String(),
  name: Type.String(),
  email: Type.String({ description: 'Empty when none is known' }),
  github_id: nullableText,
  created_at: time,
  last_login_at: nullableTime,
  is_active: Type.Boolean({ description: 'False when the account is scheduled for deletion' }),
  delete_at: Type.Optional(Type.String({ description: 'Then, when everything goes; UTC, ISO 8601' })),
})

export const githubBody = object({
  code: Type.String({ description: 'Authorization code from GitHub OAuth', minLength: 1, maxLength: 1000 }),
  state: Type.Optional(
    Type.Union([Type.String({ maxLength: 1000 }), Type.Null()], {
      description: 'State parameter for CSRF protection; whoever made it compares it',
    }),
  ),
})
export const githubAnswer = object({
  user_id: Type.String(),
  access_token: Type.String({ description: 'JWT' }),
  refresh_token: Type.String({ description: 'JWT, for POST /auth/refresh' }),
  token_type: Type.String(),
  expires_in: Type.Integer({ description: 'Seconds' }),
  is_new_user: Type.Boolean(),
})

export const refreshBody = object({
  token: Type.Optional(
    Type.String({ description: 'Your current token (must still be valid)', maxLength: 4096, minLength: 1 }),
  ),
  refresh_token: Type.Optional(
    Type.String({
      description: 'The refresh token, of a sign-in that gave one, instead',
      maxLength: 4096,
      minLength: 1,
    }),
  ),
})
/** The first three for `token`, the others for `refresh_token`. */
export const refreshAnswer = object({
  token: Type.Optional(Type.String({ description: 'The new token, which is shown this once' })),
  expiresIn: Type.Optional(Type.Integer({ description: 'Seconds' })),
  userId: Type.Optional(Type.String()),
  access_token: Type.Optional(Type.String({ description: 'JWT' })),
  refresh_token: Type.Optional(
    Type.String({
      description: 'For the next time, instead of the one that was sent, which ends when this one is used',
    }),
  ),
  token_type: Type.Optional(Type.String()),
  expires_in: Type.Optional(Type.Integer({ description: 'Seconds' })),
})

const keyFields = {
  key_id: Type.String(),
  name: Type.String(),
  scopes: Type.Union([Type.Array(Type.String()), Type.Null()], { description: 'null is everything' }),
  created_at: time,
  last_used_at: nullableTime,
  expires_at: nullableTime,
}

export const createKeyBody = object({
  name: Type.Optional(
    Type.Union([Type.String({ maxLength: limits.apiKeyNameLength, pattern: patterns.name.source }), Type.Null()], {
      description: 'What the key is for; one line',
    }),
  ),
  scopes: Type.Optional(
    Type.Array(Type.Enum([...scopes]), {
      description: 'compute: use computers; account: manage keys and the account. Default: all that this token may do',
      minItems: 1,
      uniqueItems: true,
    }),
  ),
  expires_in: Type.Optional(
    Type.Integer({
      description: 'Seconds until it ends; without it, it does not',
      minimum: 1,
      maximum: limits.apiKeyLifeMs / 1000,
    }),
  ),
})
export const createKeyAnswer = object({
  ...keyFields,
  api_key: Type.String({ description: 'The secret, which is told this once' }),
})
export const listKeysAnswer = object({ api_keys: Type.Array(object(keyFields)) })
export const revokeKeyBody = object({ key_id: Type.String({ description: 'The key to revoke', maxLength: 100 }) })
export const revokeKeyAnswer = object({ message: Type.String(), revoked_key_id: Type.String() })
