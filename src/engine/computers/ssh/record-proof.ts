import type { ComputersContext } from '../computers.ts'
import { findCertificate } from './authorized.ts'
import { readProof } from './read-proof.ts'
import type { Proof, SshConnection } from './ssh-connections.ts'

/**
 * Returns how the user of a connection has proved that it may connect, if a line of the server's log says that, and
 * records that the key was used. undefined for any other line.
 */
export async function recordProof(
  { db }: Pick<ComputersContext, 'db'>,
  { computerId, accountId }: Pick<SshConnection, 'computerId' | 'accountId'>,
  line: string,
): Promise<Proof | undefined> {
  const logged = readProof(line)
  if (!logged) return undefined
  const { fingerprint, certificateId } = logged
  const certificate = certificateId === undefined ? undefined : await findCertificate({ db }, computerId, certificateId)
  const now = Date.now()
  const { numUpdatedRows } = await db
    .updateTable('ssh_keys')
    .set({ last_used_at: now })
    .where('account_id', '=', accountId)
    .where('fingerprint', '=', fingerprint)
    .executeTakeFirst()
  if (certificate) return { kind: 'certificate', certificate }
  return { kind: 'key', fingerprint, isRegistered: numUpdatedRows > 0n }
}
