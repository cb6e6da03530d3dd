import { Type } from 'typebox'
import { limits } from '../../config/limits.ts'
import { patterns } from '../../http/patterns.ts'
import { port as portFields } from './port-schemas.ts'
import { nullable, nullableText, nullableTime, object, time } from '../schema.ts'

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

const lifeSeconds = Type.Optional(
  Type.Integer({
    description: 'How long it can be used to connect, in seconds; 15 minutes by default. A connection may last longer',
    minimum: 60,
    maximum: limits.sshCertificateMs / 1000,
  }),
)
export const certificateBody = object({
  ssh_key_id: Type.String({ description: 'A key of GET /v1/ssh-keys', minLength: 1, maxLength: 128 }),
  ttl_seconds: lifeSeconds,
})
export const credentialsBody = Type.Optional(object({ ttl_seconds: lifeSeconds }))

const sshUser = Type.String({ description: 'The user to log in as; every other user of the computer works too' })
export const certificateAnswer = object({
  authorized_key: Type.String({ description: 'The certificate, for the -cert.pub file beside the private key' }),
  ssh_user: sshUser,
  ssh_host: Type.String({ description: 'Where to connect' }),
  ssh_port: Type.Integer(),
  expires_at: time(),
  host_public_key: Type.String({ description: 'The key that the computer shows, for known_hosts' }),
})
export const credentialsAnswer = object({
  computer_id: Type.String(),
  computer_handle: Type.String(),
  ssh_user: sshUser,
  edge_host: Type.String({ description: 'Where to connect by TLS, with ALPN ssh' }),
  edge_port: Type.Integer(),
  sni: Type.String({ description: 'The server name to ask for in the TLS handshake' }),
  client_private_key: Type.String({ description: 'Made for this request, in the format of OpenSSH' }),
  client_public_key: Type.String(),
  client_certificate: Type.String({ description: 'For the -cert.pub file beside the private key' }),
  guest_host_public_key: Type.String({ description: 'The key that the computer shows, for known_hosts' }),
  expires_at: time(),
})

export const connectionAnswer = object({
  connection: object({
    handle: Type.String(),
    web_url: Type.String({ description: 'The page of the computer: open it by an access session of the kind browser' }),
    vnc_url: Type.String({ description: 'Its desktop alone, for a session of the kind vnc; empty without a desktop' }),
    browser_available: Type.Boolean(),
    vnc_available: Type.Boolean({ description: 'Whether the image of the computer has a desktop' }),
    vnc_host: nullableText('Where a plain VNC client connects; null where this server has no port for them'),
    vnc_port: nullable(Type.Integer(), { description: 'The TCP port there' }),
    vnc_user: nullableText('The user name; the password is the token of an access session of the kind vnc'),
    ssh_available: Type.Boolean({
      description: 'Whether this server has a port for SSH, and the computer an SSH server',
    }),
    ssh_host: nullableText('Where a plain SSH client connects; null where computers have no ports'),
    ssh_port: nullable(Type.Integer(), { description: 'The TCP port of this computer alone' }),
    ssh_user: nullableText('The user to log in as'),
    ssh_host_public_key: nullableText('The key that the computer shows, for known_hosts'),
  }),
  ports: Type.Array(portFields, { description: 'The published ports' }),
})
