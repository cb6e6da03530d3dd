import { parseCount } from '../arguments.ts'
import { openClient } from '../open-client.ts'
import { printable } from '../printable.ts'
import type { Verb } from '../verb.ts'

const maxPort = 65_535

export const expose: Verb = {
  usage: 'expose [options] <port>',
  description: 'Gives a port of the sandbox a public address and prints it. Start a server on the port first.',
  options: {},
  operands: [1, 1],
  async run({ program, values, operands: [text = ''] }) {
    const port = parseCount(text, 'a port', maxPort) ?? 0
    const client = await openClient(program, values)
    const answer = await client.expose(port)
    await program.stdout.line(values.json ? JSON.stringify(answer) : printable(answer.url))
    return 0
  },
}
