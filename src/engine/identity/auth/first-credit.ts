import type { Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import { firstCreditWays, type FirstCreditWay } from '../../../config/settings.ts'
import type { Database } from '../../../db/schema.ts'
import { grantWithAccount } from '../../money/ledger/grant.ts'
import { mailboxOf } from './mail-address.ts'
import { networksIn, sitePrefixOf } from './site-prefix.ts'
import type { IdentityContext } from '../identity.ts'
import type { Context } from '../../context.ts'

interface NewUser {
  accountId: string
  /** As in a `Proof`. */
  provider: string
  subject: string
  /** A verified mail address; null when there is none. */
  address: string | null
  network?: string | null | undefined
}

/**
 * Decides, once, whether a new user's account starts with credit, in the transaction that creates the account. The
 * credit is given for the ways of signing up that the operator lists, once per mailbox however its address is written,
 * and up to a daily limit per network, per /48 of IPv6 and in total. A user without it still gets an account.
 */
export async function decideFirstCredit(
  trx: Transaction<Database>,
  { prices, settings }: Pick<IdentityContext, 'settings' | 'prices'>,
  { accountId, provider, subject, address, network = null }: NewUser,
): Promise<void> {
  const person = address === null ? `${provider}:${subject}` : mailboxOf(address)
  const isGiven =
    settings.firstCredit.includes(wayOf(provider)) &&
    (await count(trx, (one) => one.where('person', '=', person))) === 0 &&
    (await isBelowLimit(trx, settings.firstCreditsPerDay)) &&
    (network === null || (await isNetworkBelowLimit(trx, settings.firstCreditsPerNetwork, network)))
  await trx
    .insertInto('first_credits')
    .values({ account_id: accountId, person, network, given: isGiven ? 1 : 0, decided_at: Date.now() })
    .execute()
  if (isGiven) await grantWithAccount(trx, accountId, prices)
}

/** Returns the way of signing up: a provider that is not listed is an issuer. */
function wayOf(provider: string): FirstCreditWay {
  return firstCreditWays.find((way) => way === provider) ?? 'issuer'
}

async function isNetworkBelowLimit(trx: Transaction<Database>, perDay: number, network: string): Promise<boolean> {
  if (!(await isBelowLimit(trx, perDay, (some) => some.where('network', '=', network)))) return false
  const sitePrefix = sitePrefixOf(network)
  if (sitePrefix === undefined) return true
  const [from, before] = networksIn(sitePrefix)
  return isBelowLimit(trx, perDay * limits.sitePrefixFactor, (some) =>
    some.where('network', '>=', from).where('network', '<', before),
  )
}

async function isBelowLimit(
  trx: Transaction<Database>,
  perDay: number,
  which: (ofDay: Given) => Given = (all) => all,
): Promise<boolean> {
  if (perDay === 0) return true
  const since = Date.now() - limits.mailDayMs
  return (await count(trx, (some) => which(some.where('decided_at', '>', since)))) < perDay
}

type Given = ReturnType<typeof givenCredits>

function givenCredits(trx: Transaction<Database>) {
  return trx
    .selectFrom('first_credits')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('given', '=', 1)
}

async function count(trx: Transaction<Database>, which: (all: Given) => Given): Promise<number> {
  return Number((await which(givenCredits(trx)).executeTakeFirstOrThrow()).count)
}

/** Deletes the networks of sign-ups that no longer count for the daily limits. */
export async function pruneFirstCredits({ db }: Pick<Context, 'db'>): Promise<void> {
  await db
    .updateTable('first_credits')
    .set({ network: null })
    .where('decided_at', '<', Date.now() - limits.mailDayMs)
    .where('network', 'is not', null)
    .execute()
}
