import { openClient } from '../open-client.ts'
import { printable } from '../printable.ts'
import type { Verb } from '../verb.ts'

export const memRm: Verb = {
  usage: 'mem:rm [options] <path>',
  description: "Deletes a file of the account's memory.",
  examples: [['mem:rm notes/plan.md', 'deletes the file']],
  options: {},
  shared: ['timeout', 'json'],
  operands: [1, 1],
  async run({ program, values, operands: [path = ''] }) {
    const client = await openClient(program, values)
    const answer = await client.memory.delete(path)
    await program.stdout.line(values.json ? JSON.stringify(answer) : `Deleted memory file ${printable(answer.path)}`)
    return 0
  },
}
