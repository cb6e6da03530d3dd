import type { Transaction } from 'kysely'
import { limits } from '../../config/limits.ts'
import { firstCreditWays, type FirstCreditWay } from '../../config/settings.ts'
import type { Database } from '../../db/schema.ts'
import type { Engine } from '../engine.ts'
import { grantWithAccount } from '../ledger/grant.ts'
import { mailboxOf } from './mail-address.ts'

interface NewPerson {
  accountId: string
  /** As in a `Proof`. */
  provider: string
  subject: string
  /** One that they have proved to have; null when there is none. */
  address: string | null
  network?: string | null | undefined
}

/**
 * Decides, once, whether a new person's account starts with credit, in the transaction that makes it: by the ways of signing up that the
 * operator names, once for a mailbox however its address is written, and so often within a day for a network and for all. Who gets none
 * has an account all the same.
 */
export async function giveFirstCredit(
  trx: Transaction<Database>,
  { prices, settings }: Pick<Engine, 'prices' | 'settings'>,
  { accountId, provider, subject, address, network = null }: NewPerson,
): Promise<void> {
  const person = address === null ? `${provider}:${subject}` : mailboxOf(address)
  const isGiven =
    settings.firstCredit.includes(wayOf(provider)) &&
    (await count(trx, (one) => one.where('person', '=', person))) === 0 &&
    (await isWithin(trx, settings.firstCreditsPerDay, null)) &&
    (network === null || (await isWithin(trx, settings.firstCreditsPerNetwork, network)))
  await trx
    .insertInto('first_credits')
    .values({ account_id: accountId, person, network, given: isGiven ? 1 : 0, decided_at: Date.now() })
    .execute()
  if (isGiven) await grantWithAccount(trx, accountId, prices)
}

/** Whoever is not known by one of these came by an issuer. */
function wayOf(provider: string): FirstCreditWay {
  return firstCreditWays.find((way) => way === provider) ?? 'issuer'
}

async function isWithin(trx: Transaction<Database>, perDay: number, network: string | null): Promise<boolean> {
  if (perDay === 0) return true
  const since = Date.now() - limits.mailDayMs
  const given = await count(trx, (some) => {
    const ofDay = some.where('decided_at', '>', since)
    return network === null ? ofDay : ofDay.where('network', '=', network)
  })
  return given < perDay
}

type Given = ReturnType<typeof givenOnes>

function givenOnes(trx: Transaction<Database>) {
  return trx
    .selectFrom('first_credits')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('given', '=', 1)
}

async function count(trx: Transaction<Database>, which: (all: Given) => Given): Promise<number> {
  return Number((await which(givenOnes(trx)).executeTakeFirstOrThrow()).count)
}

/** Forgets where people came from when it counts no more. */
export async function pruneFirstCredits({ db }: Pick<Engine, 'db'>): Promise<void> {
  await db
    .updateTable('first_credits')
    .set({ network: null })
    .where('decided_at', '<', Date.now() - limits.mailDayMs)
    .where('network', 'is not', null)
    .execute()
}
