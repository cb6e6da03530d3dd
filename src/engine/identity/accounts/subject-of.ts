import type { Authenticated } from './tokens.ts'
import type { Context } from '../../context.ts'

/**
 * Returns the `sub` by which an OpenID issuer knows the caller, of several issuers the first; undefined when none does.
 */
export async function subjectOf(
  { db, settings }: Pick<Context, 'db' | 'settings'>,
  { userId }: Authenticated,
): Promise<string | undefined> {
  const issuers = settings.oidcIssuers.map(({ issuer }) => issuer)
  if (userId === null || issuers.length === 0) return undefined
  const row = await db
    .selectFrom('identities')
    .select('subject')
    .where('user_id', '=', userId)
    .where('provider', 'in', issuers)
    .orderBy('created_at')
    .executeTakeFirst()
  return row?.subject
}
