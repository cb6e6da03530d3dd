import { limits } from '../../../config/limits.ts'
import { transaction } from '../../../db/transaction.ts'
import type { TokenRow } from '../../../db/schema.ts'
import { insertToken } from '../accounts/tokens.ts'
import { appendEvent } from '../../audit/append-event.ts'
import type { SignedIn } from './sign-in.ts'
import type { Context } from '../../context.ts'

/** Inserts the token of a sign-in and its event, in one transaction. */
export function insertSignIn(
  engine: Pick<Context, 'db'>,
  user: SignedIn,
  { kind, how }: { kind: 'session' | 'family'; how: string },
): Promise<{ secret: string; row: TokenRow }> {
  const { accountId, userId, isNew } = user
  return transaction(engine.db, 'operational', async (trx) => {
    const token = await insertToken(trx, { accountId, userId, kind, name: how, lifeMs: limits.sessionMs })
    const type = isNew ? 'user.created' : 'user.signed_in'
    await appendEvent(trx, { accountId, type, actor: token.row.id, data: { how } })
    return token
  })
}
