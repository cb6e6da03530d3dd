import { openClient } from '../open-client.ts'
import { shortSize } from '../sizes.ts'
import type { Verb } from '../verb.ts'

export const memUsage: Verb = {
  usage: 'mem:usage [options]',
  description: "Shows how much of the account's memory is used.",
  examples: [],
  options: {},
  shared: ['timeout', 'json'],
  operands: [0, 0],
  async run({ program, values }) {
    const client = await openClient(program, values)
    const usage = await client.memory.usage()
    const { usedBytes, quotaBytes, fileCount } = usage
    const files = fileCount === 1 ? '1 file' : `${fileCount} files`
    const text = `${shortSize(usedBytes)} of ${shortSize(quotaBytes)} in ${files}`
    await program.stdout.line(values.json ? JSON.stringify(usage) : text)
    return 0
  },
}
