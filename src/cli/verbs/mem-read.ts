import { openClient } from '../open-client.ts'
import type { Verb } from '../verb.ts'

export const memRead: Verb = {
  usage: 'mem:read [options] <path>',
  description: "Writes a file of the account's memory to stdout.",
  examples: [['mem:read notes/plan.md', 'to stdout']],
  options: {},
  shared: ['timeout', 'json'],
  operands: [1, 1],
  async run({ program, values, operands: [path = ''] }) {
    const client = await openClient(program, values)
    const content = await client.memory.read(path)
    if (values.json) await program.stdout.line(JSON.stringify({ path, size: Buffer.byteLength(content), content }))
    else await program.stdout.write(content)
    return 0
  },
}
