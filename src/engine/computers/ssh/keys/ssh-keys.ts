import { limits } from '../../../../config/limits.ts'
import type { SshKeyRow } from '../../../../db/schema.ts'
import { transaction } from '../../../../db/transaction.ts'
import { CarrelError } from '../../../../errors.ts'
import { appendEvent } from '../../../audit/append-event.ts'
import type { Context } from '../../../context.ts'
import { newId } from '../../../ids.ts'
import { covers } from '../../../identity/accounts/roles.ts'
import type { Authenticated } from '../../../identity/accounts/tokens.ts'
import { fingerprintOf, lineOf, parsePublicKey } from './public-key.ts'

interface NewSshKey {
  publicKey: string
  /** Default: the comment of the key. */
  name?: string | undefined
}

/**
 * Registers a public key, which opens all computers of the caller's workspace as long as the caller's user is a member
 * of it. A key that an API key registers ends with that one. Throws `invalid_request` for a text that is not a key,
 * `already_exists` for one that the workspace has, and `limit_reached`.
 */
export async function addSshKey(
  { db }: Pick<Context, 'db'>,
  caller: Authenticated,
  { publicKey, name }: NewSshKey,
): Promise<SshKeyRow> {
  const key = parsePublicKey(publicKey)
  const { accountId, tokenId, userId, kind } = caller
  const row: SshKeyRow = {
    id: newId(),
    account_id: accountId,
    user_id: userId,
    token_id: kind === 'api_key' ? tokenId : null,
    name: name ?? (nameOf(key.comment) || 'SSH key'),
    public_key: lineOf(key),
    fingerprint: fingerprintOf(key),
    created_at: Date.now(),
    last_used_at: null,
  }
  await transaction(db, { kind: 'operational', queue: accountId }, async (trx) => {
    const keys = await trx
      .selectFrom('ssh_keys')
      .select(['fingerprint', 'name'])
      .where('account_id', '=', accountId)
      .execute()
    const same = keys.find(({ fingerprint }) => fingerprint === row.fingerprint)
    if (same)
      throw new CarrelError(
        'already_exists',
        `Cannot add the SSH key: the workspace has it already, as ${JSON.stringify(same.name)}`,
        { details: { field: 'public_key' } },
      )
    if (keys.length >= limits.sshKeysPerAccount)
      throw new CarrelError(
        'limit_reached',
        `Cannot add the SSH key: the workspace has ${limits.sshKeysPerAccount}, which is the limit`,
        { details: { limit: limits.sshKeysPerAccount } },
      )
    await trx.insertInto('ssh_keys').values(row).execute()
    await appendEvent(trx, { accountId, type: 'ssh_key.added', actor: tokenId, data: { keyId: row.id } })
  })
  return row
}

/** Returns the keys of the workspace, the newest first. */
export async function listSshKeys({ db }: Pick<Context, 'db'>, { accountId }: Authenticated): Promise<SshKeyRow[]> {
  const rows = await db.selectFrom('ssh_keys').selectAll().where('account_id', '=', accountId).execute()
  return rows.toSorted((a, b) => b.created_at - a.created_at || (a.id < b.id ? -1 : 1))
}

/** Returns a key of the workspace. Throws `not_found`. */
export async function getSshKey({ db }: Pick<Context, 'db'>, { accountId }: Authenticated, id: string) {
  const row = await db
    .selectFrom('ssh_keys')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('id', '=', id)
    .executeTakeFirst()
  if (row) return row
  throw new CarrelError('not_found', `Cannot find SSH key ${JSON.stringify(id.slice(0, 128))}: the workspace has none`)
}

/**
 * Deletes a key, with which nobody can connect from then on, and whose connections end. Throws `not_found`, and
 * `forbidden` for the key of another user unless the caller is an admin.
 */
export async function deleteSshKey(engine: Pick<Context, 'db'>, caller: Authenticated, id: string): Promise<void> {
  const { accountId, tokenId: actor, userId, role } = caller
  const { user_id: owner } = await getSshKey(engine, caller, id)
  if (owner !== userId && !covers(role, 'admin'))
    throw new CarrelError('forbidden', 'Cannot delete the SSH key of another user: this takes the role "admin"', {
      details: { role, needs: 'admin' },
    })
  await transaction(engine.db, { kind: 'operational', queue: actor }, async (trx) => {
    await trx.deleteFrom('ssh_keys').where('id', '=', id).execute()
    await appendEvent(trx, { accountId, type: 'ssh_key.deleted', actor, data: { keyId: id } })
  })
}

/** Returns the comment of a key as a name: without invisible characters, and cut. */
function nameOf(comment: string): string {
  return comment
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
    .trim()
    .slice(0, maxNameLength)
}

const maxNameLength = 100
