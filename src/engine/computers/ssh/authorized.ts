import type { ComputerRow, SshCertificateRow, SshKeyRow } from '../../../db/schema.ts'
import { chunks } from '../../../db/chunks.ts'
import type { Context } from '../../context.ts'
import { invalidTokens } from '../../identity/accounts/invalid-tokens.ts'
import { lapsedMemberships } from '../../identity/accounts/lapsed-memberships.ts'

type Db = Pick<Context, 'db'>

/** Returns the keys of an account that work now: their users are members, and the API keys that registered them valid. */
export async function validKeys(
  { db }: Db,
  accountId: string,
): Promise<Pick<SshKeyRow, 'public_key' | 'fingerprint'>[]> {
  const rows = await db
    .selectFrom('ssh_keys')
    .leftJoin('memberships', (join) =>
      join
        .onRef('memberships.account_id', '=', 'ssh_keys.account_id')
        .onRef('memberships.user_id', '=', 'ssh_keys.user_id'),
    )
    .leftJoin('tokens', 'tokens.id', 'ssh_keys.token_id')
    .select(['ssh_keys.public_key', 'ssh_keys.fingerprint', 'ssh_keys.user_id', 'ssh_keys.token_id'])
    .select(['memberships.role', 'tokens.id as found', 'tokens.revoked_at', 'tokens.expires_at'])
    .where('ssh_keys.account_id', '=', accountId)
    .execute()
  return rows.filter(isValid)
}

/**
 * Returns the certificates of a computer that have not expired and whose holders still have access: their users are
 * members, their tokens valid, and the keys that they certify registered.
 */
export async function validCertificates(
  { db }: Db,
  computer: Pick<ComputerRow, 'id' | 'account_id'>,
): Promise<string[]> {
  const rows = await certificates(db)
    .where('ssh_certificates.computer_id', '=', computer.id)
    .where('ssh_certificates.account_id', '=', computer.account_id!)
    .where('ssh_certificates.expires_at', '>', Date.now())
    .execute()
  return rows.filter(isValid).map(({ id }) => id)
}

/**
 * Returns which certificates of open connections give access no more. One that has expired since ends nothing: its row
 * may be gone, and its holder's token, membership and key decide.
 */
export async function lapsedCertificates(
  { db }: Db,
  all: readonly SshCertificateRow[],
): Promise<Set<SshCertificateRow>> {
  const tokens = await invalidTokens(
    db,
    all.flatMap(({ token_id }) => token_id ?? []),
  )
  const memberships = await lapsedMemberships(
    db,
    all.flatMap((row) => (row.user_id === null ? [] : [{ accountId: row.account_id, userId: row.user_id, row }])),
  )
  const left = new Set(memberships.map(({ row }) => row))
  const keys = await existing(
    db,
    'ssh_keys',
    all.flatMap(({ ssh_key_id }) => ssh_key_id ?? []),
  )
  const current = all.filter(({ expires_at }) => expires_at > Date.now())
  const rows = await existing(
    db,
    'ssh_certificates',
    current.map(({ id }) => id),
  )
  return new Set(
    all.filter(
      (row) =>
        (row.token_id !== null && tokens.has(row.token_id)) ||
        left.has(row) ||
        (row.ssh_key_id !== null && !keys.has(row.ssh_key_id)) ||
        (current.includes(row) && !rows.has(row.id)),
    ),
  )
}

async function existing(db: Db['db'], table: 'ssh_keys' | 'ssh_certificates', ids: string[]): Promise<Set<string>> {
  const found = new Set<string>()
  for (const some of chunks([...new Set(ids)]))
    for (const { id } of await db.selectFrom(table).select('id').where('id', 'in', some).execute()) found.add(id)
  return found
}

/** Returns a certificate of a computer; undefined when there is none of that id. */
export function findCertificate({ db }: Db, computerId: string, id: string): Promise<SshCertificateRow | undefined> {
  return db
    .selectFrom('ssh_certificates')
    .selectAll()
    .where('id', '=', id)
    .where('computer_id', '=', computerId)
    .executeTakeFirst()
}

function certificates(db: Db['db']) {
  return db
    .selectFrom('ssh_certificates')
    .leftJoin('memberships', (join) =>
      join
        .onRef('memberships.account_id', '=', 'ssh_certificates.account_id')
        .onRef('memberships.user_id', '=', 'ssh_certificates.user_id'),
    )
    .leftJoin('tokens', 'tokens.id', 'ssh_certificates.token_id')
    .leftJoin('ssh_keys', 'ssh_keys.id', 'ssh_certificates.ssh_key_id')
    .select(['ssh_certificates.id', 'ssh_certificates.user_id', 'ssh_certificates.token_id'])
    .select(['ssh_certificates.ssh_key_id', 'ssh_keys.id as key'])
    .select(['memberships.role', 'tokens.id as found', 'tokens.revoked_at', 'tokens.expires_at'])
}

interface Holder {
  user_id: string | null
  token_id: string | null
  role: string | null
  found: string | null
  revoked_at: number | null
  expires_at: number | null
  ssh_key_id?: string | null
  key?: string | null
}

function isValid({ user_id, token_id, role, found, revoked_at, expires_at, ssh_key_id = null, key }: Holder): boolean {
  if (user_id !== null && role === null) return false
  if (ssh_key_id !== null && key === null) return false
  if (token_id === null) return true
  return found !== null && revoked_at === null && (expires_at === null || expires_at > Date.now())
}
