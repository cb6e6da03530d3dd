import { matchesGlob } from 'node:path'

/** @typedef {'sqlite' | 'postgres'} TestedDatabase */

/** The test files that run on PostgreSQL, too. */
export const onBoth = [
  'src/db/**',
  'src/engine/**',
  'test/store/**',
  'test/ledger/**',
  'test/nodes/**',
  // Deletion with containers is shown on SQLite; its rules are those of `deletion-killed.test.ts`.
  'test/identity/!(deletion).test.ts',
  'test/billing/{credit,many-at-once,preferences}.test.ts',
  'test/payments/**',
  'test/agent-computer/shares.test.ts',
  'test/environments/sessions.test.ts',
  'test/paperpod/{idempotency,memory,sandbox-limit}.test.ts',
  'test/pawpado/**',
  'test/security/{child-keys,first-credit,hostile-values,mail-relay,money,sign-in-links}.test.ts',
  'test/support/**',
]

/**
 * Returns the databases on which a test file runs. One in a folder that is named like a database is about that alone.
 * @param {string} file relative to the project
 * @returns {TestedDatabase[]}
 */
export function databasesOf(file) {
  const folders = file.split('/')
  if (folders.includes('sqlite')) return ['sqlite']
  if (folders.includes('postgres')) return ['postgres']
  return onBoth.some((pattern) => matchesGlob(file, pattern)) ? ['sqlite', 'postgres'] : ['sqlite']
}
