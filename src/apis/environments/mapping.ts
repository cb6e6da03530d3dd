import type { Static } from 'typebox'
import type { ApiKey } from '../../engine/identity/accounts/api-keys.ts'
import type { Profile } from '../../engine/identity/accounts/users.ts'
import type { listKeysAnswer, userAnswer } from './schemas.ts'

export function userOf(profile: Profile): Static<typeof userAnswer> {
  return {
    user_id: profile.id,
    name: profile.name,
    email: profile.email ?? '',
    github_id: profile.githubId,
    created_at: iso(profile.createdAtMs)!,
    last_login_at: iso(profile.lastLoginAtMs),
    is_active: profile.deleteAtMs === null,
    ...(profile.deleteAtMs === null ? {} : { delete_at: iso(profile.deleteAtMs)! }),
  }
}

export function keyOf(key: ApiKey): Static<typeof listKeysAnswer>['api_keys'][number] {
  return {
    key_id: key.id,
    name: key.name,
    scopes: key.scopes,
    created_at: iso(key.createdAtMs)!,
    last_used_at: iso(key.lastUsedAtMs),
    expires_at: iso(key.expiresAtMs),
  }
}

function iso(timeMs: number | null): string | null {
  return timeMs === null ? null : new Date(timeMs).toISOString()
}
