import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { openClient } from '../open-client.ts'
import { printable } from '../printable.ts'
import { UsageError } from '../usage-error.ts'
import type { Verb } from '../verb.ts'

export const memWrite: Verb = {
  usage: 'mem:write [options] <path> [file]',
  description: `
Writes a file of the account's memory, which outlives every sandbox, from a local file, or from stdin if there is none
or it is "-". The content has to be UTF-8.`,
  examples: [
    ['mem:write notes/plan.md plan.md', 'from a local file'],
    ['mem:write state.json < state.json', 'from stdin'],
  ],
  options: {},
  shared: ['timeout', 'json'],
  operands: [1, 2],
  async run({ program, values, operands: [path = '', file = '-'] }) {
    const bytes = file === '-' ? await buffer(process.stdin) : await readFile(file)
    const client = await openClient(program, values)
    const answer = await client.memory.write(path, asText(bytes, path))
    if (values.json) await program.stdout.line(JSON.stringify(answer))
    else await program.stdout.line(`Wrote ${answer.size} bytes to memory file ${printable(answer.path)}`)
    return 0
  },
}

function asText(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new UsageError(
      `Cannot write memory file "${path}": the content is not UTF-8; encode it first, such as with base64`,
    )
  }
}
