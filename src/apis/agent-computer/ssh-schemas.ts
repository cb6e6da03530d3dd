import { Type } from 'typebox'
import { patterns } from '../../http/patterns.ts'
import { nullableTime, object, time } from '../schema.ts'

const sshKey = object({
  id: Type.String({ description: 'The id of the key' }),
  name: Type.String(),
  public_key: Type.String({ description: 'The type and the key, without its comment' }),
  fingerprint: Type.String({ description: 'As ssh-keygen -l shows it' }),
  created_at: time(),
  last_used_at: nullableTime('When somebody last connected with it; null for never'),
  revoked_at: nullableTime('Always null: a deleted key is not listed any more'),
})
export const sshKeyAnswer = object({ ssh_key: sshKey })
export const sshKeysAnswer = object({ ssh_keys: Type.Array(sshKey) })

export const sshKeyParams = object({
  sshKeyId: Type.String({ minLength: 1, maxLength: 128, examples: ['k7w2m9x4c1v8n3q6t5hz'] }),
})

export const newSshKeyBody = object({
  public_key: Type.String({
    description: 'The content of a .pub file, such as ~/.ssh/id_ed25519.pub',
    minLength: 1,
    maxLength: 10_000,
  }),
  name: Type.Optional(
    Type.String({
      description: 'The comment of the key if it is left out',
      pattern: patterns.name.source,
      minLength: 1,
      maxLength: 100,
    }),
  ),
})
