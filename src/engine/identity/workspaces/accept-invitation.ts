import { refusal } from '../accounts/tokens.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { mailProof } from '../auth/magic-links.ts'
import { signIn } from '../auth/sign-in.ts'
import type { Role } from '../accounts/roles.ts'
import { provedAddress } from './inviter.ts'
import { invitationBy } from './invitations.ts'
import type { Context } from '../../context.ts'
import type { IdentityContext } from '../identity.ts'

export interface Accepted {
  userId: string
  workspaceId: string
  workspaceName: string
  role: Role
}

/** Whom an invitation is for and from, for the page that asks before it is accepted. Rejects as `acceptInvitation` does. */
export async function readInvitation(
  { db }: Pick<Context, 'db'>,
  code: string,
): Promise<{ email: string; role: Role; workspaceName: string; inviter: string | undefined }> {
  const { email, role, account_id, invited_by } = await invitationBy(db, code)
  const account = await db.selectFrom('accounts').select('name').where('id', '=', account_id).executeTakeFirstOrThrow()
  const inviter = invited_by === null ? undefined : await provedAddress(db, invited_by)
  return { email, role, workspaceName: account.name, inviter }
}

/**
 * Makes the person of the address that it was sent to a member. It signs nobody in: such a link lives long and is passed on, and
 * whoever has it gets nothing for themselves. Of several at once one gets in; who is a member already stays what they are. Rejects with `unauthenticated` when the invitation is not open any more, with `forbidden` where
 * the server takes no new people.
 */
export async function acceptInvitation(
  engine: Pick<IdentityContext, 'db' | 'settings' | 'prices'>,
  { code, network }: { code: string; network: string },
): Promise<Accepted> {
  const { id, email, account_id: workspaceId } = await invitationBy(engine.db, code)
  const { userId } = await signIn(engine, mailProof(email, network))
  return engine.db.transaction().execute(async (trx) => {
    const taken = await trx
      .updateTable('invitations')
      .set({ ended_at: Date.now() })
      .where('id', '=', id)
      .where('ended_at', 'is', null)
      .returning('role')
      .executeTakeFirst()
    if (!taken) throw refusal('the invitation was used or taken back')
    await trx
      .insertInto('memberships')
      .values({ account_id: workspaceId, user_id: userId, role: taken.role, created_at: Date.now() })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
    const { name } = await trx
      .selectFrom('accounts')
      .select('name')
      .where('id', '=', workspaceId)
      .executeTakeFirstOrThrow()
    await appendEvent(trx, {
      accountId: workspaceId,
      type: 'member.joined',
      actor: `user:${userId}`,
      data: { userId, role: taken.role },
    })
    return { userId, workspaceId, workspaceName: name, role: taken.role }
  })
}
