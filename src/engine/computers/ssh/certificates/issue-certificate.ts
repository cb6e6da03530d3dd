import { limits } from '../../../../config/limits.ts'
import type { SshCertificateRow } from '../../../../db/schema.ts'
import { transaction } from '../../../../db/transaction.ts'
import { CarrelError } from '../../../../errors.ts'
import { appendEvent } from '../../../audit/append-event.ts'
import type { Context } from '../../../context.ts'
import { newId } from '../../../ids.ts'
import type { Authenticated } from '../../../identity/accounts/tokens.ts'
import type { AccessibleComputer } from '../../access/open-computer.ts'
import type { ComputersContext } from '../../computers.ts'
import { Ed25519Key } from '../ed25519.ts'
import { parsePublicKey } from '../keys/public-key.ts'
import { getSshKey } from '../keys/ssh-keys.ts'
import { signCertificate } from './sign-certificate.ts'

type SshContext = Pick<ComputersContext, 'db' | 'ssh'>

interface Issued {
  id: string
  /** A line of a `-cert.pub` file. */
  certificate: string
  expiresAtMs: number
}

/**
 * Certifies a registered key of the workspace for one computer. The certificate ends early with the key, with the
 * caller's token and with the caller's membership. Throws `not_found` for an unknown key, and `limit_reached`.
 */
export async function certifyKey(
  engine: SshContext,
  computer: AccessibleComputer<'run'>,
  caller: Authenticated,
  { sshKeyId, lifeMs }: { sshKeyId: string; lifeMs?: number | undefined },
): Promise<Issued> {
  const { public_key: line } = await getSshKey(engine, caller, sshKeyId)
  return issue(engine, computer, caller, { key: parsePublicKey(line), sshKeyId, lifeMs })
}

/** Makes a key for one computer, and certifies it. Throws `limit_reached`. */
export async function issueCredentials(
  engine: SshContext,
  computer: AccessibleComputer<'run'>,
  caller: Authenticated,
  { lifeMs }: { lifeMs?: number | undefined },
): Promise<Issued & { key: Ed25519Key }> {
  const key = Ed25519Key.generate()
  const wanted = { key: { type: 'ssh-ed25519', blob: key.blob }, sshKeyId: null, lifeMs }
  return { ...(await issue(engine, computer, caller, wanted)), key }
}

interface Wanted {
  key: { type: string; blob: Buffer }
  sshKeyId: string | null
  lifeMs: number | undefined
}

async function issue(
  { db, ssh }: SshContext,
  computer: AccessibleComputer<'run'>,
  { tokenId, userId }: Authenticated,
  { key, sshKeyId, lifeMs = limits.sshCertificateDefaultMs }: Wanted,
): Promise<Issued> {
  const now = Date.now()
  const row: SshCertificateRow = {
    id: newId(),
    account_id: computer.accountId,
    user_id: userId,
    // The token of another issuer is not stored here: its user's membership decides.
    token_id: tokenId.startsWith('user:') ? null : tokenId,
    computer_id: computer.id,
    ssh_key_id: sshKeyId,
    created_at: now,
    expires_at: now + lifeMs,
  }
  await transaction(db, { kind: 'operational', queue: computer.accountId }, async (trx) => {
    // What was issued long ago is in the audit log; connections keep what they need in memory.
    await trx
      .deleteFrom('ssh_certificates')
      .where('computer_id', '=', computer.id)
      .where('expires_at', '<=', now)
      .execute()
    const { count } = await trx
      .selectFrom('ssh_certificates')
      .select((eb) => eb.fn.countAll().as('count'))
      .where('computer_id', '=', computer.id)
      .executeTakeFirstOrThrow()
    const limit = limits.sshCertificatesPerComputer
    if (Number(count) >= limit)
      throw new CarrelError(
        'limit_reached',
        `Cannot issue a certificate: the computer has ${limit} that are valid, which is the limit`,
        { details: { limit } },
      )
    await trx.insertInto('ssh_certificates').values(row).execute()
    await appendEvent(trx, {
      accountId: computer.accountId,
      computerId: computer.id,
      type: 'ssh_certificate.issued',
      actor: tokenId,
      data: { certificateId: row.id, expiresAt: row.expires_at },
    })
  })
  const certificate = signCertificate(ssh.userAuthority, {
    key,
    id: row.id,
    principals: [computer.id, row.id],
    // The clocks of computers and this server are one.
    validFromS: Math.floor(now / 1000) - clockSlackS,
    validToS: Math.ceil(row.expires_at / 1000),
  })
  return { id: row.id, certificate, expiresAtMs: row.expires_at }
}

/** Deletes the rows of certificates that have expired. */
export async function pruneCertificates({ db }: Pick<Context, 'db'>): Promise<void> {
  await db.deleteFrom('ssh_certificates').where('expires_at', '<=', Date.now()).execute()
}

const clockSlackS = 60
