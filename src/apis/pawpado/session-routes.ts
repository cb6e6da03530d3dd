import { profileOf } from '../../engine/identity/accounts/users.ts'
import { subjectOf } from '../../engine/identity/accounts/subject-of.ts'
import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { isoTimeOrNull } from '../iso-time.ts'
import { sessionAnswer } from './schemas.ts'

export function addSessionRoutes(app: App, engine: Engine): void {
  app.get(
    '/api/v1/session',
    {
      schema: { response: { 200: sessionAnswer } },
      config: {
        scope: 'any',
        documentation: {
          description: 'Current Huudis identity + cookie expiry',
          notes: 'The expiry is that of the token: this server sets no cookies.',
        },
      },
    },
    async ({ caller }) => {
      const { id, name, email, deleteAtMs } = await profileOf(engine, caller)
      return {
        huudisUserId: (await subjectOf(engine, caller)) ?? id,
        userId: id,
        accountId: caller.accountId,
        name,
        email: email ?? '',
        expiresAt: isoTimeOrNull(caller.expiresAtMs),
        deleteAt: isoTimeOrNull(deleteAtMs),
      }
    },
  )
}
