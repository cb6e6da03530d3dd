import type { Kysely, Transaction } from 'kysely'
import { transaction } from '../../../db/transaction.ts'
import type { Database, UserRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { newId } from '../../ids.ts'
import { oneLine } from '../accounts/one-line.ts'
import { createAccount } from '../accounts/owner.ts'
import { decideFirstCredit } from './first-credit.ts'
import { mailAddress } from './mail-address.ts'
import type { IdentityContext } from '../identity.ts'

/** An identity that somebody has just proved. */
export interface Proof {
  /** `email`, `github`, `wallet`, or the address of an issuer. */
  provider: string
  subject: string
  name: string
  email: string | null
  /** True when the holder of the address is this user: then one address is one user, whatever the provider. */
  emailIsVerified: boolean
  /** The network of the request; undefined for an issuer's token. */
  network?: string | undefined
}

export interface SignedIn {
  userId: string
  accountId: string
  isNew: boolean
}

/**
 * Returns the user of a proof. Creates a new user with a personal workspace, and the first credit where
 * `decideFirstCredit` gives it. Throws `forbidden` for a new user while sign-up is closed.
 */
export function signIn(engine: Pick<IdentityContext, 'db' | 'settings' | 'prices'>, proof: Proof): Promise<SignedIn> {
  const address = (proof.email === null ? undefined : mailAddress(proof.email)) ?? null
  const verified = proof.emailIsVerified ? address : null
  return transaction(engine.db, 'operational', async (trx) => {
    const known =
      (await findUser(trx, proof.provider, proof.subject)) ??
      (verified === null ? undefined : await findUser(trx, 'email', verified))
    if (!known && !engine.settings.signUp)
      throw new CarrelError('forbidden', 'Cannot sign in: the server does not accept new users')
    const user = known ?? (await createUser(trx, oneLine(proof.name) || oneLine(proof.subject), address))
    if (!known) await decideFirstCredit(trx, engine, { ...proof, accountId: user.account_id, address: verified })
    await trx.updateTable('users').set({ last_login_at: Date.now() }).where('id', '=', user.id).execute()
    await addIdentity(trx, user.id, proof.provider, proof.subject)
    if (verified !== null) await addIdentity(trx, user.id, 'email', verified)
    return { userId: user.id, accountId: user.account_id, isNew: !known }
  })
}

function findUser(trx: Transaction<Database>, provider: string, subject: string): Promise<UserRow | undefined> {
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
