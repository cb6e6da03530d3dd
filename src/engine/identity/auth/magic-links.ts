import { randomBytes } from 'node:crypto'
import type { Kysely } from 'kysely'
import { limits } from '../../../config/limits.ts'
import { transaction } from '../../../db/transaction.ts'
import type { Database } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { hashOf, unauthenticated } from '../accounts/tokens.ts'
import { insertSignIn } from './insert-sign-in.ts'
import { maySendLink } from './link-quota.ts'
import { mailAddress, mailboxOf } from './mail-address.ts'
import { signInMail } from './sign-in-mail.ts'
import { signIn, type Proof, type SignedIn } from './sign-in.ts'
import type { IdentityContext } from '../identity.ts'
import type { Context } from '../../context.ts'

/** A request for a sign-in link. */
interface LinkRequest {
  email: string
  /** The network that the request comes from. */
  network: string
}

/**
 * Sends a sign-in link to an address, in the background. Neither the answer, nor its time, nor the work of the server
 * afterwards reveals whether the address is known: a message that is not sent is prepared all the same. `maySendLink`
 * decides how many are sent. Throws `invalid_request` for text that is not an address, and `unavailable` while the
 * database fails.
 */
export function requestLink(
  engine: Pick<IdentityContext, 'db' | 'settings' | 'log' | 'server' | 'mail' | 'databaseHealth'>,
  { email, network }: LinkRequest,
): void {
  const address = mailAddress(email)
  if (address === undefined)
    throw new CarrelError('invalid_request', `Cannot sign in ${JSON.stringify(email)}: it is not a mail address`, {
      details: { field: 'email' },
    })
  engine.databaseHealth.assertWorks()
  void sendLink(engine, { email: address, network }).catch((error: unknown) =>
    engine.log.error({ err: error }, 'cannot send a sign-in link'),
  )
}

async function sendLink(
  engine: Pick<IdentityContext, 'db' | 'settings' | 'log' | 'server' | 'mail'>,
  { email, network }: LinkRequest,
): Promise<void> {
  const { mail, log } = engine
  const code = randomBytes(32).toString('base64url')
  const isSent = await insertLink(engine, { code, email, network })
  const link = engine.server.links.signIn(code)
  const message = { to: email, ...signInMail(link) }
  if (!isSent) return mail.pretend(message)
  if (!mail.isSent) log.info({ email, link }, 'a sign-in link')
  await mail.send(message)
}

/**
 * Inserts a link. Returns whether it is to be sent: to any address while sign-up is open, otherwise to known addresses,
 * and within the limits of `maySendLink`.
 */
async function insertLink(
  engine: Pick<Context, 'db' | 'settings' | 'log'>,
  { code, email, network }: LinkRequest & { code: string },
): Promise<boolean> {
  const { db, settings } = engine
  const mailbox = mailboxOf(email)
  return transaction(db, 'operational', async (trx) => {
    const isUnknown = !(await isKnownAddress(trx, email))
    const maySend = await maySendLink(trx, engine, { email, mailbox, network, isUnknown })
    const isSent = maySend && (settings.signUp || !isUnknown)
    const now = Date.now()
    await trx
      .insertInto('magic_links')
      .values({
        hash: hashOf(code),
        email,
        mailbox,
        network,
        stranger: isUnknown ? 1 : 0,
        sent: isSent ? 1 : 0,
        created_at: now,
        expires_at: now + limits.magicLinkMs,
        used_at: null,
      })
      .execute()
    return isSent
  })
}

/** Returns whether somebody has signed in by the address. */
export async function isKnownAddress(db: Kysely<Database>, email: string): Promise<boolean> {
  const row = await db
    .selectFrom('identities')
    .select('user_id')
    .where('provider', '=', 'email')
    .where('subject', '=', email)
    .executeTakeFirst()
  return row !== undefined
}

export interface NewSession extends SignedIn {
  /** Shown only once. */
  token: string
  expiresAtMs: number
}

/** Returns the address of a link without using it up. Throws as `redeemLink` does. */
export async function readLink({ db }: Pick<Context, 'db'>, code: string): Promise<{ email: string }> {
  const link = await db
    .selectFrom('magic_links')
    .select('email')
    .where('hash', '=', hashOf(code))
    .where('sent', '=', 1)
    .where('used_at', 'is', null)
    .where('expires_at', '>', Date.now())
    .executeTakeFirst()
  if (!link) throw invalidLink()
  return link
}

/**
 * Opens a session by the code of a link. Of several requests at once, one gets the session: one guarded update uses up
 * the link. Throws `unauthenticated` when the link is unknown, was used or is older than 15 minutes.
 */
export async function redeemLink(
  engine: Pick<IdentityContext, 'db' | 'settings' | 'prices'>,
  code: string,
  network: string,
): Promise<NewSession> {
  const now = Date.now()
  const link = await engine.db
    .updateTable('magic_links')
    .set({ used_at: now })
    .where('hash', '=', hashOf(code))
    .where('sent', '=', 1)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .returning('email')
    .executeTakeFirst()
  if (!link) throw invalidLink()
  return openMailSession(engine, link.email, network)
}

function invalidLink(): CarrelError {
  return unauthenticated('the link was used already, or is older than 15 minutes; ask for a new one')
}

/** Opens a session for the user of a verified address. Throws `forbidden` for a new user while sign-up is closed. */
async function openMailSession(
  engine: Pick<IdentityContext, 'db' | 'settings' | 'prices'>,
  email: string,
  network: string,
): Promise<NewSession> {
  const user = await signIn(engine, mailProof(email, network))
  const { secret, row } = await insertSignIn(engine, user, { kind: 'session', how: 'email' })
  return { ...user, token: secret, expiresAtMs: row.expires_at! }
}

/** Returns what a link that was sent to an address proves. */
export function mailProof(email: string, network: string): Proof {
  const [name = ''] = email.split('@')
  return { provider: 'email', subject: email, name, email, emailIsVerified: true, network }
}

/** Deletes links that cannot be used any more; links that were sent count for a day. */
export async function pruneLinks({ db }: Pick<Context, 'db'>): Promise<void> {
  const now = Date.now()
  await db
    .deleteFrom('magic_links')
    .where('expires_at', '<', now)
    .where((eb) => eb.or([eb('sent', '=', 0), eb('created_at', '<', now - limits.mailDayMs)]))
    .execute()
}
