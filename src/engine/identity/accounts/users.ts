import type { Authenticated } from './tokens.ts'
import type { Context } from '../../context.ts'

export interface Profile {
  id: string
  /** The user's personal workspace. */
  ownAccountId: string
  name: string
  /** null when none is known. */
  email: string | null
  githubId: string | null
  createdAtMs: number
  lastLoginAtMs: number | null
  /** When the user is deleted; null when no deletion is scheduled. */
  deleteAtMs: number | null
}

/** Returns the caller's profile. A token without a user, such as the first account's, stands for its account. */
export async function profileOf(engine: Pick<Context, 'db'>, caller: Authenticated): Promise<Profile> {
  if (caller.userId === null) {
    const account = await engine.db
      .selectFrom('accounts')
      .selectAll()
      .where('id', '=', caller.accountId)
      .executeTakeFirstOrThrow()
    const { id, name, created_at: createdAtMs } = account
    return {
      id,
      ownAccountId: id,
      name,
      email: null,
      githubId: null,
      createdAtMs,
      lastLoginAtMs: null,
      deleteAtMs: null,
    }
  }
  const user = await engine.db.selectFrom('users').selectAll().where('id', '=', caller.userId).executeTakeFirstOrThrow()
  const github = await engine.db
    .selectFrom('identities')
    .select('subject')
    .where('user_id', '=', user.id)
    .where('provider', '=', 'github')
    .executeTakeFirst()
  return {
    id: user.id,
    ownAccountId: user.account_id,
    name: user.name,
    email: user.email,
    githubId: github?.subject ?? null,
    createdAtMs: user.created_at,
    lastLoginAtMs: user.last_login_at,
    deleteAtMs: user.delete_at,
  }
}
