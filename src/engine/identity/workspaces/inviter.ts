import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import type { Authenticated } from '../accounts/tokens.ts'
import type { Context } from '../../context.ts'

/**
 * Returns the address that an invitation is from; undefined for a token without a user, which the operator has created.
 * Throws `forbidden` for a user without a verified address, such as the holder of a wallet or a user known by an issuer
 * alone: the recipient has to know whom the invitation is from.
 */
export async function inviterOf({ db }: Pick<Context, 'db'>, { userId }: Authenticated): Promise<string | undefined> {
  if (userId === null) return undefined
  const address = await verifiedAddress(db, userId)
  if (address !== undefined) return address
  throw new CarrelError(
    'forbidden',
    'Cannot invite anybody: you have no verified mail address, so nobody could know whom the invitation is from; sign in by mail first',
  )
}

/** Returns the address that a user signed in by, of several the first; undefined when there is none. */
export async function verifiedAddress(db: Kysely<Database>, userId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('identities')
    .select('subject')
    .where('user_id', '=', userId)
    .where('provider', '=', 'email')
    .orderBy('created_at')
    .orderBy('subject')
    .executeTakeFirst()
  return row?.subject
}
