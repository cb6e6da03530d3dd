import { Migrator, type Kysely, type Migration } from 'kysely'
import * as first from './migrations/0001-first.ts'
import * as ledger from './migrations/0002-ledger.ts'
import * as identity from './migrations/0003-identity.ts'
import * as payments from './migrations/0004-payments.ts'
import * as machinePayments from './migrations/0005-machine-payments.ts'
import * as settingsAndDeletion from './migrations/0006-settings-and-deletion.ts'
import * as workspaces from './migrations/0007-workspaces.ts'
import * as refreshedSessions from './migrations/0008-refreshed-sessions.ts'
import * as workspaceDeletion from './migrations/0009-workspace-deletion.ts'
import * as outputRetention from './migrations/0010-kept-output.ts'
import * as mailAndKeys from './migrations/0011-mail-and-keys.ts'
import * as usageTotals from './migrations/0013-usage-totals.ts'
import * as computeMarks from './migrations/0014-compute-marks.ts'
import * as storedResponses from './migrations/0015-kept-answers.ts'
import * as invitationNetworks from './migrations/0016-invitation-networks.ts'
import * as siblingTokens from './migrations/0017-sibling-tokens.ts'
import * as computerLifecycle from './migrations/0018-computer-lifecycle.ts'
import * as noMagicValues from './migrations/0019-no-magic-values.ts'
import * as nodes from './migrations/0020-nodes.ts'
import * as secrets from './migrations/0021-secrets.ts'
import * as memoryPaths from './migrations/0022-memory-paths.ts'
import * as lastingComputers from './migrations/0023-lasting-computers.ts'
import * as accessSessions from './migrations/0024-access-sessions.ts'
import * as ssh from './migrations/0025-ssh.ts'
import * as publishedPorts from './migrations/0026-published-ports.ts'
import * as snapshots from './migrations/0027-snapshots.ts'
import * as memoryUse from './migrations/0029-memory-use.ts'
import * as uptime from './migrations/0030-uptime.ts'
import * as shares from './migrations/0031-shares.ts'
import * as datasets from './migrations/0032-datasets.ts'
import * as sessions from './migrations/0033-sessions.ts'
import type { Database } from './schema.ts'

/** Run in the order of their names; a released migration is never changed. */
const migrations: Record<string, Migration> = {
  '0001-first': first,
  '0002-ledger': ledger,
  '0003-identity': identity,
  '0004-payments': payments,
  '0005-machine-payments': machinePayments,
  '0006-settings-and-deletion': settingsAndDeletion,
  '0007-workspaces': workspaces,
  '0008-refreshed-sessions': refreshedSessions,
  '0009-workspace-deletion': workspaceDeletion,
  '0010-kept-output': outputRetention,
  '0011-mail-and-keys': mailAndKeys,
  '0013-usage-totals': usageTotals,
  '0014-compute-marks': computeMarks,
  '0015-kept-answers': storedResponses,
  '0016-invitation-networks': invitationNetworks,
  '0017-sibling-tokens': siblingTokens,
  '0018-computer-lifecycle': computerLifecycle,
  '0019-no-magic-values': noMagicValues,
  '0020-nodes': nodes,
  '0021-secrets': secrets,
  '0022-memory-paths': memoryPaths,
  '0023-lasting-computers': lastingComputers,
  '0024-access-sessions': accessSessions,
  '0025-ssh': ssh,
  '0026-published-ports': publishedPorts,
  '0027-snapshots': snapshots,
  '0029-memory-use': memoryUse,
  '0030-uptime': uptime,
  '0031-shares': shares,
  '0032-datasets': datasets,
  '0033-sessions': sessions,
}

/**
 * Runs the missing migrations. Throws when the database has migrations that this program does not know, and when one
 * fails: nothing of that one stays.
 */
export async function migrate(db: Kysely<Database>): Promise<void> {
  const { error } = await migratorOf(db).migrateToLatest()
  if (error) throw error
}

/** Returns whether a database has all migrations of this program. */
export async function isMigrated(db: Kysely<Database>): Promise<boolean> {
  return (await migratorOf(db).getMigrations()).every(({ executedAt }) => executedAt !== undefined)
}

function migratorOf(db: Kysely<Database>): Migrator {
  return new Migrator({ db, provider: { getMigrations: async () => migrations } })
}
