import type { Kysely, Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import type { Database } from '../../../db/schema.ts'
import { warnMailLimit } from './warn-mail-limit.ts'
import { networksIn, sitePrefixOf } from './site-prefix.ts'
import type { Context } from '../../context.ts'

/** A sign-in link that is asked for. */
interface LinkRequest {
  email: string
  mailbox: string
  /** The network of the request. */
  network: string
  /** True while nobody has signed in by the address. */
  isUnknown: boolean
}

/**
 * Returns whether a link is sent. Nobody can lock a user out by asking for links to the user's address: only links that
 * are unused and still valid for minutes hold others back, so that a user who is sent no more has valid ones in the
 * mailbox. An address that nobody has signed in by also counts against the limits of the requesting network and of the
 * day.
 */
export async function maySendLink(
  trx: Transaction<Database>,
  engine: Pick<Context, 'settings' | 'log'>,
  request: LinkRequest,
): Promise<boolean> {
  if (await hasEnough(trx, request)) return false
  return !request.isUnknown || maySendToUnknown(trx, engine, request)
}

async function hasEnough(trx: Transaction<Database>, { email, network }: LinkRequest): Promise<boolean> {
  const now = Date.now()
  const links = await trx
    .selectFrom('magic_links')
    .select(['network', 'created_at'])
    .where('email', '=', email)
    .where('created_at', '>', now - limits.mailDayMs)
    .where('used_at', 'is', null)
    .where('sent', '=', 1)
    .execute()
  const fresh = links.filter(({ created_at }) => created_at > now - limits.freshLinkMs)
  const max = links.length < limits.magicLinksPerDay ? limits.magicLinksPerAddress : 1
  return fresh.length >= max || fresh.filter((link) => link.network === network).length >= limits.magicLinksPerNetwork
}

async function maySendToUnknown(
  trx: Transaction<Database>,
  { settings: { mailsPerNetwork, mailsPerDay }, log }: Pick<Context, 'settings' | 'log'>,
  { email, mailbox, network }: LinkRequest,
): Promise<boolean> {
  const toUnknown = linksOfDay(trx)
  const isAtLimit = async (links: Links, max: number) => max > 0 && (await count(links)) >= max
  const isNetworkAtLimit = async (links: Links, max: number) => {
    if (await isAtLimit(links.where('network', '=', network), max)) return true
    const sitePrefix = sitePrefixOf(network)
    if (sitePrefix === undefined) return false
    const [from, before] = networksIn(sitePrefix)
    const ofSite = links.where('network', '>=', from).where('network', '<', before)
    return isAtLimit(ofSite, max * limits.sitePrefixFactor)
  }
  if (await isNetworkAtLimit(toUnknown, mailsPerNetwork)) return false
  const ofMailbox = toUnknown.where('mailbox', '=', mailbox).where('email', '!=', email)
  if (await isNetworkAtLimit(ofMailbox, limits.magicLinksPerMailbox)) return false
  if (email.includes('+') && (await isAtLimit(ofMailbox, limits.taggedLinksPerMailbox))) return false
  if (!(await isAtLimit(toUnknown, mailsPerDay))) return true
  warnMailLimit(log, 'sign-in links to addresses that nobody has signed in by', 'CARREL_MAILS_PER_DAY')
  return false
}

/** Selects the links of the last day to addresses that nobody had signed in by. */
function linksOfDay(db: Kysely<Database>) {
  return db
    .selectFrom('magic_links')
    .where('created_at', '>', Date.now() - limits.mailDayMs)
    .where('stranger', '=', 1)
    .where('sent', '=', 1)
}

type Links = ReturnType<typeof linksOfDay>

async function count(query: Links): Promise<number> {
  const { count } = await query.select((eb) => eb.fn.countAll().as('count')).executeTakeFirstOrThrow()
  return Number(count)
}
