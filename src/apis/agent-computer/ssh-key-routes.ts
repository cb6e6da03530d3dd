import { Type } from 'typebox'
import { addSshKey, deleteSshKey, listSshKeys } from '../../engine/computers/ssh/keys/ssh-keys.ts'
import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { sshKeyOf } from './ssh-mapping.ts'
import { newSshKeyBody, sshKeyAnswer, sshKeyParams, sshKeysAnswer } from './ssh-schemas.ts'

export function addSshKeyRoutes(app: App, engine: Engine): void {
  app.get(
    '/v1/ssh-keys',
    {
      schema: { response: { 200: sshKeysAnswer } },
      config: { documentation: { description: 'List SSH keys' } },
    },
    async ({ caller }) => ({ ssh_keys: (await listSshKeys(engine, caller)).map(sshKeyOf) }),
  )
  app.post(
    '/v1/ssh-keys',
    {
      schema: { body: newSshKeyBody, response: { 201: sshKeyAnswer } },
      config: {
        idempotent: true,
        documentation: {
          description: 'Create an SSH key',
          example: {
            public_key: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIw0QaUDBpZUb5ngtgA/dHP2b5L6Ix2TPEUOs4TBiwAH me@laptop',
          },
          errors: ['already_exists', 'limit_reached'],
          notes:
            'The key opens all computers of the workspace, as long as its user is a member. A key that an API key registers ends with that API key.',
        },
      },
    },
    async ({ body, caller }, reply) => {
      const row = await addSshKey(engine, caller, { publicKey: body.public_key, name: body.name })
      void reply.status(201)
      return { ssh_key: sshKeyOf(row) }
    },
  )
  app.delete(
    '/v1/ssh-keys/:sshKeyId',
    {
      schema: { params: sshKeyParams, response: { 204: Type.Null() } },
      config: {
        documentation: {
          description: 'Delete an SSH key, and end the connections that were opened with it',
          errors: ['not_found'],
        },
      },
    },
    async ({ params, caller }, reply) => {
      await deleteSshKey(engine, caller, params.sshKeyId)
      void reply.status(204)
      return null
    },
  )
}
