import { randomBytes } from 'node:crypto'
import type { Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import type { Database, ShareRow } from '../../../db/schema.ts'
import { transaction } from '../../../db/transaction.ts'
import { CarrelError } from '../../../errors.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { newId } from '../../ids.ts'
import { hashOf, type Authenticated } from '../../identity/accounts/tokens.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import { isOpen, shareTokenPrefix, type Share } from './share.ts'

export interface NewShare {
  /** Whether the link opens the computer's page, with its terminal and files. */
  allowBrowser: boolean
  /** Whether the link opens the desktop, which is for looking alone unless the link opens the page as well. */
  allowVnc: boolean
  /** null for a share that lasts until it is revoked. */
  expiresAtMs: number | null
}

const doing = 'Cannot create the share'

/**
 * Creates a link that opens a computer for whoever has it. Its token is 256 random bits. It outlives the token of the
 * caller, whose user has to remain a member of the workspace. Throws `invalid_request` for a link that opens nothing,
 * or expires in the past or later than `limits.shareMs`; and `limit_reached` when the computer has
 * `limits.sharesPerComputer`.
 */
export async function createShare(
  engine: Pick<ComputersContext, 'db' | 'shareLinks'>,
  computer: AccessibleComputer<'manage'>,
  caller: Authenticated,
  wanted: NewShare,
): Promise<Share> {
  const now = Date.now()
  assertUseful(wanted, now)
  const id = newId()
  const token = `${shareTokenPrefix}${randomBytes(32).toString('base64url')}`
  const row = {
    id,
    account_id: computer.accountId,
    computer_id: computer.id,
    allow_browser: Number(wanted.allowBrowser),
    allow_vnc: Number(wanted.allowVnc),
    token_id: caller.tokenId,
    user_id: caller.userId,
    uses: 0,
    created_at: now,
    expires_at: wanted.expiresAtMs,
    last_used_at: null,
    revoked_at: null,
  }
  const secrets = { hash: hashOf(token), sealed_token: engine.shareLinks.seal(id, token) }
  await transaction(engine.db, { kind: 'durable', queue: computer.accountId }, async (trx) => {
    await makeRoom(trx, computer)
    await trx
      .insertInto('shares')
      .values({ ...row, ...secrets })
      .execute()
    await appendEvent(trx, {
      accountId: computer.accountId,
      computerId: computer.id,
      type: 'share.created',
      actor: caller.tokenId,
      data: { shareId: id, ...wanted },
    })
  })
  return { ...row, token }
}

function assertUseful({ allowBrowser, allowVnc, expiresAtMs }: NewShare, now: number): void {
  const refuse = (field: string, reason: string) =>
    new CarrelError('invalid_request', `${doing}: ${reason}`, { details: { field } })
  if (!allowBrowser && !allowVnc) throw refuse('allow_browser', 'its link would open neither the page nor the desktop')
  if (expiresAtMs === null) return
  if (expiresAtMs <= now) throw refuse('expires_at', 'it would have expired already')
  if (expiresAtMs > now + limits.shareMs)
    throw refuse('expires_at', `it would last longer than ${limits.shareMs / dayMs} days; leave it out for no end`)
}

/**
 * Removes the oldest shares of the computer that are over, with their sessions. Throws `not_found` for a computer that has changed hands
 * meanwhile, and `limit_reached` when it has too many shares.
 */
async function makeRoom(trx: Transaction<Database>, computer: AccessibleComputer): Promise<void> {
  const { id, accountId } = computer
  const owner = await trx.selectFrom('computers').select('account_id').where('id', '=', id).executeTakeFirst()
  if (owner?.account_id !== accountId)
    throw new CarrelError('not_found', `${doing}: the computer is not there any more`)
  const rows: Pick<ShareRow, 'id' | 'expires_at' | 'revoked_at'>[] = await trx
    .selectFrom('shares')
    .select(['id', 'expires_at', 'revoked_at'])
    .where('computer_id', '=', id)
    .orderBy('created_at', 'desc')
    .execute()
  const over = rows.filter((row) => !isOpen(row))
  const limit = limits.sharesPerComputer
  if (rows.length - over.length >= limit)
    throw new CarrelError(
      'limit_reached',
      `${doing}: the computer has ${limit}, which is the limit; delete one first`,
      {
        details: { limit },
      },
    )
  const dropped = over.slice(limits.endedSharesPerComputer).map((row) => row.id)
  if (dropped.length === 0) return
  await trx.deleteFrom('access_sessions').where('share_id', 'in', dropped).execute()
  await trx.deleteFrom('shares').where('id', 'in', dropped).execute()
}

const dayMs = 24 * 60 * 60 * 1000
