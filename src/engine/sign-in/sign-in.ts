import type { Kysely, Transaction } from 'kysely'
import { limits } from '../../config/limits.ts'
import type { Database, UserRow } from '../../db/schema.ts'
import { CarrelError } from '../../errors.ts'
import type { Engine } from '../engine.ts'
import { newId } from '../ids.ts'
import { createAccount } from '../accounts/owner.ts'
import { grantWithAccount } from '../ledger/grant.ts'

/** Who somebody has just proved to be. */
export interface Proof {
  /** `email`, `github`, `wallet`, or the address of an issuer. */
  provider: string
  subject: string
  name: string
  email: string | null
  /** True when whoever holds the address is this person: then one address is one person, whatever the provider. */
  emailIsVerified: boolean
}

export interface SignedIn {
  userId: string
  accountId: string
  isNew: boolean
}

/** The person of a proof; one who is new gets a personal workspace with its first credit, or `forbidden` where sign-up is closed. */
export function signIn(engine: Engine, proof: Proof): Promise<SignedIn> {
  const address = proof.email?.toLowerCase() ?? null
  return engine.db.transaction().execute(async (trx) => {
    const known =
      (await userBy(trx, proof.provider, proof.subject)) ??
      (address && proof.emailIsVerified ? await userBy(trx, 'email', address) : undefined)
    if (!known && !engine.settings.signUp)
      throw new CarrelError('forbidden', 'Cannot sign in: the server takes no new people')
    const user = known ?? (await createUser(trx, lineOf(proof.name) || lineOf(proof.subject), address))
    if (!known) await grantWithAccount(trx, user.account_id, engine.prices)
    await trx.updateTable('users').set({ last_login_at: Date.now() }).where('id', '=', user.id).execute()
    await addIdentity(trx, user.id, proof.provider, proof.subject)
    if (address && proof.emailIsVerified) await addIdentity(trx, user.id, 'email', address)
    return { userId: user.id, accountId: user.account_id, isNew: !known }
  })
}

/** A name is shown to others: without line breaks and other signs that are not seen, and no longer than one may choose. */
function lineOf(name: string): string {
  const line = name.replace(/[\p{C}\s]+/gu, ' ').trim()
  return Array.from(line).slice(0, limits.nameLength).join('')
}

function userBy(trx: Transaction<Database>, provider: string, subject: string): Promise<UserRow | undefined> {
  return trx
    .selectFrom('users')
    .innerJoin('identities', 'identities.user_id', 'users.id')
    .selectAll('users')
    .where('provider', '=', provider)
    .where('subject', '=', subject)
    .executeTakeFirst()
}

async function createUser(trx: Transaction<Database>, name: string, email: string | null): Promise<UserRow> {
  const now = Date.now()
  const accountId = await createAccount(trx, name)
  const user: UserRow = {
    id: newId(),
    account_id: accountId,
    name,
    email,
    created_at: now,
    last_login_at: now,
    delete_at: null,
  }
  await trx.insertInto('users').values(user).execute()
  await trx
    .insertInto('memberships')
    .values({ account_id: accountId, user_id: user.id, role: 'owner', created_at: now })
    .execute()
  return user
}

async function addIdentity(db: Kysely<Database>, userId: string, provider: string, subject: string): Promise<void> {
  await db
    .insertInto('identities')
    .values({ provider, subject, user_id: userId, created_at: Date.now() })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}
