import type { Static } from 'typebox'
import type { SshKeyFacts } from '../../engine/types.ts'
import { isoTime, isoTimeOrNull } from '../iso-time.ts'
import type { sshKeyAnswer } from './ssh-schemas.ts'

export function sshKeyOf(row: SshKeyFacts): Static<typeof sshKeyAnswer>['ssh_key'] {
  return {
    id: row.id,
    name: row.name,
    public_key: row.public_key,
    fingerprint: row.fingerprint,
    created_at: isoTime(row.created_at),
    last_used_at: isoTimeOrNull(row.last_used_at),
    revoked_at: null,
  }
}
