import type { Kysely, Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import type { Database } from '../../../db/schema.ts'
import { warnOfMail } from './warn-of-mail.ts'
import { networksIn, wideNetworkOf } from './wide-network.ts'
import type { Context } from '../../context.ts'

/** A link for signing in that somebody asks for. */
interface Asked {
  email: string
  mailbox: string
  /** Where they come from. */
  network: string
  /** Nobody has signed in by the address yet. */
  isStranger: boolean
}

/**
 * Whether a link goes out. Nobody locks another out by asking for links to their address: only links that are not used and work for
 * minutes yet keep others back, so that who is sent no more has some in the mailbox, which sign in whoever opens them. An address that nobody has signed in by counts
 * against the network that asks and against the day too.
 */
export async function mayGetLink(
  trx: Transaction<Database>,
  engine: Pick<Context, 'settings' | 'log'>,
  asked: Asked,
): Promise<boolean> {
  if (await hasEnough(trx, asked)) return false
  return !asked.isStranger || mayWriteToStranger(trx, engine, asked)
}

async function hasEnough(trx: Transaction<Database>, { email, network }: Asked): Promise<boolean> {
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
  const most = links.length < limits.magicLinksPerDay ? limits.magicLinksPerAddress : 1
  return fresh.length >= most || fresh.filter((link) => link.network === network).length >= limits.magicLinksPerNetwork
}

async function mayWriteToStranger(
  trx: Transaction<Database>,
  { settings: { mailsPerNetwork, mailsPerDay }, log }: Pick<Context, 'settings' | 'log'>,
  { email, mailbox, network }: Asked,
): Promise<boolean> {
  const toStrangers = linksOfDay(trx)
  const isMuch = async (links: Links, most: number) => most > 0 && (await count(links)) >= most
  const isMuchOfNetwork = async (links: Links, most: number) => {
    if (await isMuch(links.where('network', '=', network), most)) return true
    const wide = wideNetworkOf(network)
    if (wide === undefined) return false
    const [from, before] = networksIn(wide)
    const ofWide = links.where('network', '>=', from).where('network', '<', before)
    return isMuch(ofWide, most * limits.wideNetworkFactor)
  }
  if (await isMuchOfNetwork(toStrangers, mailsPerNetwork)) return false
  const ofMailbox = toStrangers.where('mailbox', '=', mailbox).where('email', '!=', email)
  if (await isMuchOfNetwork(ofMailbox, limits.magicLinksPerMailbox)) return false
  if (email.includes('+') && (await isMuch(ofMailbox, limits.taggedLinksPerMailbox))) return false
  if (!(await isMuch(toStrangers, mailsPerDay))) return true
  warnOfMail(log, 'links for signing in by addresses that are not known yet', 'CARREL_MAILS_PER_DAY')
  return false
}

/** Those to addresses that nobody had signed in by. */
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
