import { limits } from '../../../config/limits.ts'
import type { TokenRow } from '../../../db/schema.ts'
import { insertToken } from '../accounts/tokens.ts'
import { appendEvent } from '../../audit/append-event.ts'
import type { SignedIn } from './sign-in.ts'
import type { Context } from '../../context.ts'

/** The token that a sign-in gives, with its event, in one transaction. */
export function insertSignIn(
  engine: Pick<Context, 'db'>,
  person: SignedIn,
  { kind, how }: { kind: 'session' | 'family'; how: string },
): Promise<{ secret: string; row: TokenRow }> {
  const { accountId, userId, isNew } = person
  return engine.db.transaction().execute(async (trx) => {
    const token = await insertToken(trx, { accountId, userId, kind, name: how, lifeMs: limits.sessionMs })
    const type = isNew ? 'user.created' : 'user.signed_in'
    await appendEvent(trx, { accountId, type, actor: token.row.id, data: { how } })
    return token
  })
}
