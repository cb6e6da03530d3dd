import type { DeleteResult, Transaction } from 'kysely'
import { limits } from '../../config/limits.ts'
import type { Database } from '../../db/schema.ts'
import { isWorkspace, type DeletionSubject } from './deletion-subject.ts'

export type DeleteRows = (trx: Transaction<Database>, leaving: DeletionSubject) => Promise<DeleteResult[]>

/**
 * What becomes of the rows of each table when a person leaves, or a workspace goes:
 * - `books`: facts of the ledger and of payments, which name an account by its id alone, and stay;
 * - `host`: goes with what it stands for on the host;
 * - `last`: goes when nothing else is left, so that a deletion that is interrupted is found again;
 * - a function deletes them, in this order: what refers to a row before the row.
 *
 * A table that is missing here does not compile. What names a person in rows that stay is said in `person-columns.ts`.
 */
export const deletionPlan: { [Table in keyof Database]: 'books' | 'host' | 'last' | DeleteRows } = {
  ledger_books: 'books',
  ledger_transactions: 'books',
  ledger_entries: 'books',
  ledger_holds: 'books',
  payments: 'books',
  machine_payments: 'books',
  // They name nobody, and go when their time is over.
  spent_wallet_proofs: 'books',
  // Those that were charged explain the charge; the others, and what they were called, go in the end.
  usage_intervals: 'last',
  // Sums of them, with what computers were called.
  usage_days: 'last',
  spent: 'last',
  computers: 'host',
  ports: 'host',
  processes: 'host',
  usage_remainders: ofAccounts('usage_remainders'),
  compute_marks: ofAccounts('compute_marks'),
  spending_limits: ofAccounts('spending_limits'),
  memory_files: ofAccounts('memory_files'),
  operations: ofAccounts('operations'),
  idempotency: ofAccounts('idempotency'),
  // Ever more come in the life of an account: in steps, of which each call makes one.
  events: (trx, { accountIds }) =>
    trx
      .deleteFrom('events')
      .where('id', 'in', (query) =>
        query.selectFrom('events').select('id').where('account_id', 'in', accountIds).limit(limits.deletedEventsAtOnce),
      )
      .execute(),
  // Who comes back with the same mailbox is somebody new, and the 30 days before that are long enough.
  first_credits: ofAccounts('first_credits'),
  person_settings: (trx, { userId, accountIds }) =>
    trx
      .deleteFrom('person_settings')
      .where('owner_id', 'in', [userId, ...accountIds])
      .execute(),
  magic_links: async (trx, { addresses }) =>
    addresses.length === 0 ? [] : trx.deleteFrom('magic_links').where('email', 'in', addresses).execute(),
  invitations: (trx, { userId, accountIds, addresses }) =>
    trx
      .deleteFrom('invitations')
      .where((eb) =>
        eb.or([
          eb('invited_by', '=', userId),
          eb('account_id', 'in', accountIds),
          ...(addresses.length === 0 ? [] : [eb('email', 'in', addresses)]),
        ]),
      )
      .execute(),
  identities: (trx, { userId }) => trx.deleteFrom('identities').where('user_id', '=', userId).execute(),
  spent_refresh_tokens: (trx, { userId, accountIds }) =>
    trx
      .deleteFrom('spent_refresh_tokens')
      .where('token_id', 'in', (query) =>
        query
          .selectFrom('tokens')
          .select('id')
          .where((eb) => eb.or([eb('user_id', '=', userId), eb('account_id', 'in', accountIds)])),
      )
      .execute(),
  tokens: (trx, { userId, accountIds }) =>
    trx
      .deleteFrom('tokens')
      .where((eb) => eb.or([eb('user_id', '=', userId), eb('account_id', 'in', accountIds)]))
      .execute(),
  // By those of a person it is known which workspaces go with them: they go last. Those of a workspace let people into it.
  memberships: async (trx, leaving) =>
    isWorkspace(leaving) ? trx.deleteFrom('memberships').where('account_id', 'in', leaving.accountIds).execute() : [],
  users: 'last',
  accounts: 'last',
}

function ofAccounts(
  table:
    | 'usage_remainders'
    | 'compute_marks'
    | 'spending_limits'
    | 'memory_files'
    | 'operations'
    | 'idempotency'
    | 'events'
    | 'first_credits',
): DeleteRows {
  return (trx, { accountIds }) => trx.deleteFrom(table).where('account_id', 'in', accountIds).execute()
}
