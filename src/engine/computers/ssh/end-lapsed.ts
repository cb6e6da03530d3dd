import { chunks } from '../../../db/chunks.ts'
import type { ComputersContext } from '../computers.ts'
import { lapsedCertificates, validKeys } from './authorized.ts'
import type { SshConnection } from './ssh-connections.ts'

/**
 * Ends the connections whose users have lost access, or whose computers have changed hands. Costs nothing while nobody
 * is connected.
 */
export async function endLapsed(engine: Pick<ComputersContext, 'db' | 'ssh'>): Promise<void> {
  const all = engine.ssh.connections.all
  if (all.length === 0) return
  const owners = await ownersOf(engine, new Set(all.map(({ computerId }) => computerId)))
  const lapsed = await lapsedCertificates(
    engine,
    all.flatMap(({ proof }) => (proof?.kind === 'certificate' ? [proof.certificate] : [])),
  )
  for (const connection of all) {
    if (owners.get(connection.computerId) !== connection.accountId) connection.end('the computer has changed hands')
    else if (connection.proof?.kind === 'certificate' && lapsed.has(connection.proof.certificate))
      connection.end('the certificate was revoked')
  }
  await endOfDeletedKeys(engine, all)
}

async function ownersOf({ db }: Pick<ComputersContext, 'db'>, ids: Set<string>): Promise<Map<string, string | null>> {
  const owners = new Map<string, string | null>()
  for (const some of chunks([...ids])) {
    const rows = await db.selectFrom('computers').select(['id', 'account_id']).where('id', 'in', some).execute()
    for (const { id, account_id } of rows) owners.set(id, account_id)
  }
  return owners
}

/** Ends the connections of registered keys that are not valid any more. Keys inside the computer are its owner's. */
async function endOfDeletedKeys(engine: Pick<ComputersContext, 'db'>, all: readonly SshConnection[]): Promise<void> {
  const byKey = all.filter(({ proof }) => proof?.kind === 'key' && proof.isRegistered)
  for (const accountId of new Set(byKey.map((connection) => connection.accountId))) {
    const valid = new Set((await validKeys(engine, accountId)).map(({ fingerprint }) => fingerprint))
    for (const connection of byKey) {
      const { proof } = connection
      if (connection.accountId === accountId && proof?.kind === 'key' && !valid.has(proof.fingerprint))
        connection.end('the key was deleted')
    }
  }
}
