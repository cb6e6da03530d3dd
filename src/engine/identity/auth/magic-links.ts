import { randomBytes } from 'node:crypto'
import type { Kysely } from 'kysely'
import { limits } from '../../../config/limits.ts'
import type { Database } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { hashOf, refusal } from '../accounts/tokens.ts'
import { insertSignIn } from './insert-sign-in.ts'
import { mayGetLink } from './link-quota.ts'
import { mailAddress, mailboxOf } from './mail-address.ts'
import { signInMail } from './sign-in-mail.ts'
import { signIn, type Proof, type SignedIn } from './sign-in.ts'
import type { IdentityContext } from '../identity.ts'
import type { Context } from '../../context.ts'

/** Who asks for a link, and for which address. */
interface LinkRequest {
  email: string
  /** Where the request comes from. */
  network: string
}

/**
 * Sends a link for signing in to an address, in the background. Neither the answer nor its time tells whether the address is known, nor
 * does what the server does then: a message that does not go out is made all the same. How many go out is in `mayGetLink`. Rejects with
 * `invalid_request` what is no address.
 */
export function requestLink(
  engine: Pick<IdentityContext, 'db' | 'settings' | 'log' | 'server' | 'mail'>,
  { email, network }: LinkRequest,
): void {
  const address = mailAddress(email)
  if (address === undefined)
    throw new CarrelError('invalid_request', `Cannot sign in ${JSON.stringify(email)}: it is no mail address`, {
      details: { field: 'email' },
    })
  void sendLink(engine, { email: address, network }).catch((error: unknown) =>
    engine.log.error({ err: error }, 'cannot send a link for signing in'),
  )
}

async function sendLink(
  engine: Pick<IdentityContext, 'db' | 'settings' | 'log' | 'server' | 'mail'>,
  { email, network }: LinkRequest,
): Promise<void> {
  const { mail, log } = engine
  const code = randomBytes(32).toString('base64url')
  const isSent = await insertLink(engine, { code, email, network })
  const link = `${engine.server.origin()}/login/callback?token=${code}`
  const message = { to: email, ...signInMail(link) }
  if (!isSent) return mail.pretend(message)
  if (!mail.isSent) log.info({ email, link }, 'a link for signing in')
  await mail.send(message)
}

/** Whether it is to be sent: to anybody where the server takes new people, else to those that are known, and to nobody too often. */
async function insertLink(
  engine: Pick<Context, 'db' | 'settings' | 'log'>,
  { code, email, network }: LinkRequest & { code: string },
): Promise<boolean> {
  const { db, settings } = engine
  const mailbox = mailboxOf(email)
  return db.transaction().execute(async (trx) => {
    const isStranger = !(await isKnownAddress(trx, email))
    const mayGet = await mayGetLink(trx, engine, { email, mailbox, network, isStranger })
    const isSent = mayGet && (settings.signUp || !isStranger)
    const now = Date.now()
    await trx
      .insertInto('magic_links')
      .values({
        hash: hashOf(code),
        email,
        mailbox,
        network,
        stranger: isStranger ? 1 : 0,
        sent: isSent ? 1 : 0,
        created_at: now,
        expires_at: now + limits.magicLinkMs,
        used_at: null,
      })
      .execute()
    return isSent
  })
}

/** Whether somebody has signed in by it. */
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
  /** Told this once. */
  token: string
  expiresAtMs: number
}

/** Whose link it is. Rejects as `redeemLink` does, which uses it up. */
export async function readLink({ db }: Pick<Context, 'db'>, code: string): Promise<{ email: string }> {
  const link = await db
    .selectFrom('magic_links')
    .select('email')
    .where('hash', '=', hashOf(code))
    .where('sent', '=', 1)
    .where('used_at', 'is', null)
    .where('expires_at', '>', Date.now())
    .executeTakeFirst()
  if (!link) throw deadLink()
  return link
}

/**
 * Opens a session by the code of a link. Of several at once one gets it: the link is used up by one guarded update. Rejects with
 * `unauthenticated` when it is not known, was used or is older than 15 minutes.
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
  if (!link) throw deadLink()
  return openMailSession(engine, link.email, network)
}

function deadLink(): CarrelError {
  return refusal('the link was used already, or is older than 15 minutes; ask for a new one')
}

/** A session of whoever has an address, which they have just proved. Rejects with `forbidden` where the server takes no new people. */
async function openMailSession(
  engine: Pick<IdentityContext, 'db' | 'settings' | 'prices'>,
  email: string,
  network: string,
): Promise<NewSession> {
  const person = await signIn(engine, mailProof(email, network))
  const { secret, row } = await insertSignIn(engine, person, { kind: 'session', how: 'email' })
  return { ...person, token: secret, expiresAtMs: row.expires_at! }
}

/** What a link proves that was sent to an address. */
export function mailProof(email: string, network: string): Proof {
  const [name = ''] = email.split('@')
  return { provider: 'email', subject: email, name, email, emailIsVerified: true, network }
}

/** Forgets links that cannot be used any more; those that were sent count for a day. */
export async function pruneLinks({ db }: Pick<Context, 'db'>): Promise<void> {
  const now = Date.now()
  await db
    .deleteFrom('magic_links')
    .where('expires_at', '<', now)
    .where((eb) => eb.or([eb('sent', '=', 0), eb('created_at', '<', now - limits.mailDayMs)]))
    .execute()
}
