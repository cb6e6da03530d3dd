import { openClient } from '../open-client.ts'
import { printable } from '../printable.ts'
import type { Verb } from '../verb.ts'

export const kill: Verb = {
  usage: 'kill [options] <id>',
  description: 'Stops a process and everything that it started. "ps" shows the ids.',
  examples: [
    ['kill web', 'ends the process "web"'],
    ['kill -s int web', 'sends it SIGINT, as Ctrl-C does'],
  ],
  options: { signal: { type: 'string', short: 's', value: '<name>', help: 'Another signal, such as SIGINT' } },
  shared: ['session', 'timeout', 'json'],
  operands: [1, 1],
  async run({ program, values, operands: [id = ''] }) {
    const client = await openClient(program, values)
    const answer = await client.processes.kill(id, { signalName: signalName(values['signal']) })
    await program.stdout.line(values.json ? JSON.stringify(answer) : `Killed ${printable(answer.processId)}`)
    return 0
  },
}

/** Accepts `int` as well as `SIGINT`. */
function signalName(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined
  const name = text.toUpperCase()
  return name.startsWith('SIG') ? name : `SIG${name}`
}
