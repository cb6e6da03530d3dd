import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import type { Authenticated } from '../accounts/tokens.ts'
import type { Context } from '../../context.ts'

/**
 * The address that an invitation is from. Only who has proved to have one sends mail (`forbidden`), so not a wallet, nor whom an issuer
 * alone knows: whom it goes to has to know whom it is from. '' for a token that belongs to no person, which the operator has made.
 */
export async function inviterOf({ db }: Pick<Context, 'db'>, { userId }: Authenticated): Promise<string | undefined> {
  if (userId === null) return undefined
  const address = await provedAddress(db, userId)
  if (address !== undefined) return address
  throw new CarrelError(
    'forbidden',
    'Cannot invite anybody: you have no mail address that is proved, so nobody could know whom it is from; sign in by mail for that',
  )
}

/** The address by which somebody signed in, of several the first; undefined when there is none. */
export async function provedAddress(db: Kysely<Database>, userId: string): Promise<string | undefined> {
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
