import type { Static } from 'typebox'
import type { ApiKey } from '../../engine/identity/accounts/api-keys.ts'
import type { Profile } from '../../engine/identity/accounts/users.ts'
import { isoTime, isoTimeOrNull } from '../iso-time.ts'
import type { listKeysAnswer, userAnswer } from './schemas.ts'

export function userOf(profile: Profile): Static<typeof userAnswer> {
  return {
    user_id: profile.id,
    name: profile.name,
    email: profile.email ?? '',
    github_id: profile.githubId,
    created_at: isoTime(profile.createdAtMs),
    last_login_at: isoTimeOrNull(profile.lastLoginAtMs),
    is_active: profile.deleteAtMs === null,
    ...(profile.deleteAtMs === null ? {} : { delete_at: isoTime(profile.deleteAtMs) }),
  }
}

export function keyOf(key: ApiKey): Static<typeof listKeysAnswer>['api_keys'][number] {
  return {
    key_id: key.id,
    name: key.name,
    scopes: key.scopes,
    created_at: isoTime(key.createdAtMs),
    last_used_at: isoTimeOrNull(key.lastUsedAtMs),
    expires_at: isoTimeOrNull(key.expiresAtMs),
  }
}
