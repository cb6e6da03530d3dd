import { openClient } from '../open-client.ts'
import { table } from '../table.ts'
import { shortTime } from '../times.ts'
import type { Verb } from '../verb.ts'

export const memLs: Verb = {
  usage: 'mem:ls [options] [prefix]',
  description: "Lists the files of the account's memory, or those whose path begins with a prefix.",
  examples: [['mem:ls notes/', 'the files below "notes"']],
  options: {},
  shared: ['timeout', 'json'],
  operands: [0, 1],
  async run({ program, values, operands: [prefix] }) {
    const client = await openClient(program, values)
    const files = await client.memory.list(prefix)
    const rows = files.map(({ path, size, modified }) => [String(size), shortTime(modified), path])
    await program.stdout.write(
      values.json ? `${JSON.stringify({ files })}\n` : table([{ align: 'right' }, {}, {}], rows),
    )
    return 0
  },
}
