import { randomBytes } from 'node:crypto'
import { limits } from '../../config/limits.ts'
import type { CarrelError } from '../../errors.ts'
import { hashOf, refusal } from '../accounts/tokens.ts'
import type { Engine } from '../engine.ts'
import { insertSignIn } from './insert-sign-in.ts'
import { signInMail } from './sign-in-mail.ts'
import { signIn, type SignedIn } from './sign-in.ts'

/**
 * Sends a link for signing in to an address, in the background: neither the answer nor its time tells whether the address is known.
 * No address gets more than 5 in a quarter of an hour.
 */
export function requestLink(engine: Engine, email: string): void {
  void sendLink(engine, email.toLowerCase()).catch((error: unknown) =>
    engine.log.error({ err: error }, 'cannot send a link for signing in'),
  )
}

async function sendLink(engine: Engine, email: string): Promise<void> {
  const { db, mail, log } = engine
  if (!(await mayGetMail(engine, email))) return
  const now = Date.now()
  const code = randomBytes(32).toString('base64url')
  await db
    .insertInto('magic_links')
    .values({ hash: hashOf(code), email, created_at: now, expires_at: now + limits.magicLinkMs, used_at: null })
    .execute()
  const link = `${engine.origin()}/login/callback?token=${code}`
  if (!mail.isSent) log.info({ email, link }, 'a link for signing in')
  await mail.send({ to: email, ...signInMail(link) })
}

/**
 * Whether a link may go to an address: to anybody's where the server takes new people, else to those that are known; and no more than
 * 5 in a quarter of an hour, invitations with them.
 */
export async function mayGetMail(engine: Engine, email: string): Promise<boolean> {
  if (!engine.settings.signUp && !(await isKnown(engine, email))) return false
  const since = Date.now() - limits.magicLinkMs
  let sent = 0
  for (const table of ['magic_links', 'invitations'] as const) {
    const { count } = await engine.db
      .selectFrom(table)
      .select((eb) => eb.fn.countAll().as('count'))
      .where('email', '=', email)
      .where('created_at', '>', since)
      .executeTakeFirstOrThrow()
    sent += Number(count)
  }
  return sent < limits.magicLinksPerAddress
}

async function isKnown({ db }: Engine, email: string): Promise<boolean> {
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
export async function readLink({ db }: Engine, code: string): Promise<{ email: string }> {
  const link = await db
    .selectFrom('magic_links')
    .select('email')
    .where('hash', '=', hashOf(code))
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
export async function redeemLink(engine: Engine, code: string): Promise<NewSession> {
  const now = Date.now()
  const link = await engine.db
    .updateTable('magic_links')
    .set({ used_at: now })
    .where('hash', '=', hashOf(code))
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .returning('email')
    .executeTakeFirst()
  if (!link) throw deadLink()
  return openMailSession(engine, link.email)
}

function deadLink(): CarrelError {
  return refusal('the link was used already, or is older than 15 minutes; ask for a new one')
}

/** A session of whoever has an address, which they have just proved. Rejects with `forbidden` where the server takes no new people. */
async function openMailSession(engine: Engine, email: string): Promise<NewSession> {
  const proof = { provider: 'email', subject: email, name: email.split('@')[0]!, email, emailIsVerified: true }
  const person = await signIn(engine, proof)
  const { secret, row } = await insertSignIn(engine, person, { kind: 'session', how: 'email' })
  return { ...person, token: secret, expiresAtMs: row.expires_at! }
}

/** Forgets links that cannot be used any more. */
export async function pruneLinks({ db }: Engine): Promise<void> {
  await db
    .deleteFrom('magic_links')
    .where('expires_at', '<', Date.now() - limits.magicLinkMs)
    .execute()
}
