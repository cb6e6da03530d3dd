import type { FastifyInstance } from 'fastify'
import type { ApiKey } from '../keys.ts'
import type { LimitChange, SpendingLimits } from '../limits.ts'
import { FakeFailure } from './fake-failure.ts'

/** Serves keys, limits and sign-in by mail of a single account. */
export function serveAccount(app: FastifyInstance, token: string): void {
  const keys: ApiKey[] = []
  app.get('/users/me/api-keys', async () => ({ api_keys: keys }))
  app.post<{ Body: { name?: string; scopes?: string[]; expires_in?: number } }>(
    '/users/me/api-keys',
    async ({ body }) => {
      const made: ApiKey = {
        key_id: `key-${keys.length + 1}`,
        name: body.name ?? '',
        scopes: body.scopes ?? null,
        created_at: '2026-01-26T12:00:00.000Z',
        last_used_at: null,
        expires_at:
          body.expires_in === undefined ? null : new Date(Date.UTC(2026, 0, 26) + body.expires_in * 1000).toISOString(),
      }
      keys.push(made)
      return { ...made, api_key: 'ak_fake' }
    },
  )
  app.delete<{ Body: { key_id: string } }>('/users/me/api-keys', async ({ body }) => {
    const at = keys.findIndex(({ key_id }) => key_id === body.key_id)
    if (at === -1) throw new FakeFailure(404, 'NOT_FOUND', `Cannot revoke API key "${body.key_id}"`)
    keys.splice(at, 1)
    return { message: 'The API key was revoked', revoked_key_id: body.key_id }
  })

  const limits: SpendingLimits = {
    workspace_id: 'workspace',
    daily_limit_cents: null,
    daily_spent_cents: null,
    monthly_limit_cents: null,
    monthly_spent_cents: null,
    keys: [],
  }
  app.get('/v1/billing/preferences', async () => limits)
  app.patch<{ Body: LimitChange }>('/v1/billing/preferences', async ({ body: { keys: changed = [], ...own } }) => {
    Object.assign(limits, own)
    limits.daily_spent_cents = limits.daily_limit_cents === null ? null : 125
    limits.monthly_spent_cents = limits.monthly_limit_cents === null ? null : 4000
    limits.keys = changed.map((key) => ({
      ...{ daily_limit_cents: null, daily_spent_cents: null, monthly_limit_cents: null, monthly_spent_cents: null },
      ...key,
      name: 'ci',
    }))
    return limits
  })

  app.post('/login', async () => ({ success: true, message: 'Check your email' }))
  app.post<{ Body: { token: string } }>('/login/callback', async ({ body }) => {
    if (body.token !== 'code') throw new FakeFailure(401, 'UNAUTHENTICATED', 'The link was used already')
    return { token, expiresIn: 2_592_000, userId: 'user' }
  })
}
