import { limits } from '../../../config/limits.ts'
import { transaction } from '../../../db/transaction.ts'
import { CarrelError } from '../../../errors.ts'
import { unauthenticated } from '../accounts/tokens.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { mailProof } from '../auth/magic-links.ts'
import { signIn } from '../auth/sign-in.ts'
import type { Role } from '../accounts/roles.ts'
import { verifiedAddress } from './inviter.ts'
import { findInvitation } from './invitations.ts'
import { countMembers } from './members.ts'
import type { Context } from '../../context.ts'
import type { IdentityContext } from '../identity.ts'

export interface AcceptedInvitation {
  userId: string
  workspaceId: string
  workspaceName: string
  role: Role
}

/**
 * Returns whom an invitation is for and from, for the page that asks before it is accepted; `inviter` is undefined for
 * a token without a user. Throws as `acceptInvitation` does.
 */
export async function readInvitation(
  { db }: Pick<Context, 'db'>,
  code: string,
): Promise<{ email: string; role: Role; workspaceName: string; inviter: string | undefined }> {
  const { email, role, account_id, invited_by } = await findInvitation(db, code)
  const account = await db.selectFrom('accounts').select('name').where('id', '=', account_id).executeTakeFirstOrThrow()
  const inviter = invited_by === null ? undefined : await verifiedAddress(db, invited_by)
  return { email, role, workspaceName: account.name, inviter }
}

/**
 * Makes the user of the invited address a member. Signs nobody in: such a link is valid for long and gets forwarded, so
 * its holder must gain nothing from it. Of several requests at once, one succeeds; a member keeps the present role.
 * Throws `unauthenticated` when the invitation is not open any more, `limit_reached` when the workspace is full, and
 * `forbidden` for a new user while sign-up is closed.
 */
export async function acceptInvitation(
  engine: Pick<IdentityContext, 'db' | 'settings' | 'prices'>,
  { code, network }: { code: string; network: string },
): Promise<AcceptedInvitation> {
  const { id, email, account_id: workspaceId } = await findInvitation(engine.db, code)
  const { userId } = await signIn(engine, mailProof(email, network))
  return transaction(engine.db, 'operational', async (trx) => {
    const accepted = await trx
      .updateTable('invitations')
      .set({ ended_at: Date.now() })
      .where('id', '=', id)
      .where('ended_at', 'is', null)
      .returning('role')
      .executeTakeFirst()
    if (!accepted) throw unauthenticated('the invitation was used or revoked')
    // Invitations that were sent while there was room can be more than there is room for.
    if ((await countMembers(trx, workspaceId, { except: userId })) >= limits.membersPerWorkspace)
      throw new CarrelError(
        'limit_reached',
        'Cannot accept the invitation: the workspace has as many members as it can',
        {
          details: { limit: limits.membersPerWorkspace },
        },
      )
    await trx
      .insertInto('memberships')
      .values({ account_id: workspaceId, user_id: userId, role: accepted.role, created_at: Date.now() })
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
      data: { userId, role: accepted.role },
    })
    return { userId, workspaceId, workspaceName: name, role: accepted.role }
  })
}
