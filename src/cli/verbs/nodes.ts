import { runOwnProgram } from '../run-own-program.ts'
import { UsageError } from '../usage-error.ts'
import type { Verb } from '../verb.ts'

export const nodes: Verb = {
  usage: 'nodes [options] [what] [node]',
  description: `
Lists the servers that share the database of the server on this machine (CARREL_DATABASE_URL, else CARREL_DATA). Each
has a data directory with computers of its own, which is a node. "remove" removes a node whose host is gone for good:
its computers are recorded as lost, and what waited for them goes on. It refuses a node whose server runs.`,
  examples: [
    ['nodes', 'the servers of the database'],
    ['nodes remove n0de0000', 'one that is gone for good'],
  ],
  options: {},
  shared: ['json'],
  actions: ['list', 'remove'],
  operands: [0, 2],
  async run({ program, values, operands: [what = 'list', node] }) {
    if (what === 'list' && node !== undefined) throw new UsageError('"nodes list" takes no further arguments')
    if (what === 'remove' && node === undefined) throw new UsageError('The node is missing: nodes remove <node>')
    const given = [...(values.json ? ['--json'] : []), '--', what, ...(node === undefined ? [] : [node])]
    return runOwnProgram('nodes/main.ts', given, program.env)
  },
}
