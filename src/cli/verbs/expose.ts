import type { Carrel } from '../../../sdk/index.ts'
import { parseCount } from '../arguments.ts'
import { clientOf } from '../open-client.ts'
import { printable } from '../printable.ts'
import { readSettings } from '../settings.ts'
import type { Verb } from '../verb.ts'

const maxPort = 65_535

export const expose: Verb = {
  usage: 'expose [options] <port>',
  description: `
Gives a port of the sandbox a public address and prints it. Says on stderr if no program listens on the port yet. The
address stays the same for as long as the sandbox exists.`,
  examples: [['expose 8080', 'the address of a server on port 8080']],
  options: {},
  shared: ['session', 'timeout', 'json'],
  operands: [1, 1],
  async run({ program, values, operands: [text = ''] }) {
    const port = parseCount(text, 'a port', { max: maxPort }) ?? 0
    const settings = await readSettings(program, values)
    const client = clientOf(program, values, settings)
    const answer = await client.expose(port)
    await program.stdout.line(values.json ? JSON.stringify(answer) : printable(answer.url))
    if (!values.json && (await isKnownToBeDead(client, settings.sandbox?.name ?? '', port)))
      await program.stderr.line(
        `${program.name}: nothing listens on port ${port} yet; the address answers once something does`,
      )
    return 0
  },
}

/** Returns whether the server says that no program listens on a port. */
async function isKnownToBeDead(client: Carrel, sandbox: string, port: number): Promise<boolean> {
  // An older server does not say, and the address is printed whatever this answers.
  const found = await client.sandboxes.find(sandbox).catch(() => undefined)
  return found?.ports.some((one) => one.port === port && !one.listening) === true
}
