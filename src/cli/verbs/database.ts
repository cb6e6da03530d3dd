import { runOwnProgram } from '../run-own-program.ts'
import type { Verb } from '../verb.ts'

export const database: Verb = {
  usage: 'database [options] copy',
  description: `
Works on the database of the server on this machine (CARREL_DATA, else /var/lib/carrel), which has to be stopped. "copy"
copies the SQLite database into the empty PostgreSQL database that CARREL_DATABASE_URL names, all rows or none, and
verifies the ledger there; the rows of the file stay. A second copy changes nothing.`,
  examples: [['database copy', 'from SQLite to PostgreSQL']],
  options: {},
  shared: ['json'],
  actions: ['copy'],
  operands: [1, 1],
  async run({ program, values, operands: [what = ''] }) {
    return runOwnProgram('database/main.ts', [...(values.json ? ['--json'] : []), '--', what], program.env)
  },
}
