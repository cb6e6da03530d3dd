import type { DeleteResult, Expression, ExpressionBuilder, SqlBool, Transaction } from 'kysely'
import { limits } from '../../config/limits.ts'
import { inList } from '../../db/in-list.ts'
import type { Database } from '../../db/schema.ts'
import type { DeletionSubject, UserSubject } from './deletion-subject.ts'

export type DeleteRows = (trx: Transaction<Database>, subject: DeletionSubject) => Promise<DeleteResult[]>

/**
 * Says what happens to the rows of each table when a user or a workspace is deleted:
 * - `server`: rows of the servers themselves, which belong to nobody, stay;
 * - `ledger`: facts of the ledger and of payments, which name an account by its id alone, stay;
 * - `host`: a row is deleted with the thing on the host that it stands for;
 * - `last`: rows are deleted when nothing else is left, so that an interrupted deletion is found again;
 * - a function deletes rows. The functions run in this order: rows that refer to others before those.
 *
 * A table that is missing here does not compile. `user-columns.ts` says what happens to names of users in rows that
 * stay.
 */
export const deletionPlan: { [Table in keyof Database]: 'server' | 'ledger' | 'host' | 'last' | DeleteRows } = {
  deployment: 'server',
  nodes: 'server',
  duties: 'server',
  uptime_hours: 'server',
  datasets: 'server',
  samples: 'server',
  sample_tasks: 'server',
  secrets: 'server',
  ledger_books: 'ledger',
  ledger_transactions: 'ledger',
  ledger_entries: 'ledger',
  ledger_holds: 'ledger',
  payments: 'ledger',
  machine_payments: 'ledger',
  // These rows name nobody, and are deleted when they expire.
  spent_wallet_proofs: 'ledger',
  // Charged intervals explain the charge and stay. Free intervals, and all names, are deleted at the end.
  usage_intervals: 'last',
  // Sums of intervals, with the names of computers.
  usage_days: 'last',
  spent: 'last',
  computers: 'host',
  snapshots: 'host',
  ports: 'host',
  ssh_ports: 'host',
  ssh_keys: ofAccountsAndUser('ssh_keys'),
  ssh_certificates: ofAccountsAndUser('ssh_certificates'),
  processes: 'host',
  access_sessions: ofAccountsAndUser('access_sessions'),
  shares: ofAccountsAndUser('shares'),
  usage_remainders: ofAccounts('usage_remainders'),
  compute_marks: ofAccounts('compute_marks'),
  interactions: ofAccounts('interactions'),
  sessions: ofAccounts('sessions'),
  spending_limits: ofAccounts('spending_limits'),
  memory_files: ofAccounts('memory_files'),
  operations: ofAccounts('operations'),
  idempotency: ofAccounts('idempotency'),
  // An account has an unbounded number of events: each call deletes a limited number of them.
  events: (trx, { accountIds }) =>
    trx
      .deleteFrom('events')
      .where('id', 'in', (query) =>
        query
          .selectFrom('events')
          .select('id')
          .where((eb) => inList(eb, 'account_id', accountIds))
          .limit(limits.deletedEventsAtOnce),
      )
      .execute(),
  // Somebody who returns with the same mailbox counts as new; the 30 days before the deletion are delay enough.
  first_credits: ofAccounts('first_credits'),
  person_settings: (trx, subject) => {
    const ownerIds = subject.kind === 'user' ? [subject.userId, ...subject.accountIds] : subject.accountIds
    return trx
      .deleteFrom('person_settings')
      .where((eb) => inList(eb, 'owner_id', ownerIds))
      .execute()
  },
  magic_links: ofUser((trx, { addresses }) =>
    trx
      .deleteFrom('magic_links')
      .where((eb) => inList(eb, 'email', addresses))
      .execute(),
  ),
  invitations: (trx, subject) =>
    trx
      .deleteFrom('invitations')
      .where((eb) =>
        eb.or([
          inList(eb, 'account_id', subject.accountIds),
          ...(subject.kind === 'user'
            ? [eb('invited_by', '=', subject.userId), inList(eb, 'email', subject.addresses)]
            : []),
        ]),
      )
      .execute(),
  identities: ofUser((trx, { userId }) => trx.deleteFrom('identities').where('user_id', '=', userId).execute()),
  spent_refresh_tokens: (trx, subject) =>
    trx
      .deleteFrom('spent_refresh_tokens')
      .where('token_id', 'in', (query) =>
        query
          .selectFrom('tokens')
          .select('id')
          .where((eb) => areTokensOf(eb, subject)),
      )
      .execute(),
  tokens: (trx, subject) =>
    trx
      .deleteFrom('tokens')
      .where((eb) => areTokensOf(eb, subject))
      .execute(),
  // A user's memberships say which workspaces are deleted with the user, so they are deleted last. A workspace's
  // memberships let users into it.
  memberships: async (trx, subject) =>
    subject.kind === 'workspace'
      ? trx.deleteFrom('memberships').where('account_id', 'in', subject.accountIds).execute()
      : [],
  users: 'last',
  accounts: 'last',
}

function ofAccounts(
  table:
    | 'usage_remainders'
    | 'compute_marks'
    | 'spending_limits'
    | 'sessions'
    | 'interactions'
    | 'memory_files'
    | 'operations'
    | 'idempotency'
    | 'first_credits',
): DeleteRows {
  return (trx, { accountIds }) =>
    trx
      .deleteFrom(table)
      .where((eb) => inList(eb, 'account_id', accountIds))
      .execute()
}

/** Deletes what belongs to the accounts, and what the user has in the accounts of others. */
function ofAccountsAndUser(table: 'ssh_keys' | 'ssh_certificates' | 'access_sessions' | 'shares'): DeleteRows {
  return (trx, subject) =>
    trx
      .deleteFrom(table)
      .where((eb) => {
        const areOfAccounts = inList(eb, 'account_id', subject.accountIds)
        return subject.kind === 'user' ? eb.or([eb('user_id', '=', subject.userId), areOfAccounts]) : areOfAccounts
      })
      .execute()
}

/** Deletes rows of a user; a workspace that is deleted by itself has none. */
function ofUser(deleteRows: (trx: Transaction<Database>, subject: UserSubject) => Promise<DeleteResult[]>): DeleteRows {
  return async (trx, subject) => (subject.kind === 'user' ? deleteRows(trx, subject) : [])
}

function areTokensOf(eb: ExpressionBuilder<Database, 'tokens'>, subject: DeletionSubject): Expression<SqlBool> {
  const areOfAccounts = inList(eb, 'account_id', subject.accountIds)
  return subject.kind === 'user' ? eb.or([eb('user_id', '=', subject.userId), areOfAccounts]) : areOfAccounts
}
