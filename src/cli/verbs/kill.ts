import type { ProcessInfo } from '../../../sdk/index.ts'
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
    // The answer to the signal does not show whether the process had ended before.
    const before = values.json ? [] : await client.processes.list({ all: true })
    const answer = await client.processes.kill(id, { signalName: signalName(values['signal']) })
    const name = printable(answer.processId)
    if (values.json) await program.stdout.line(JSON.stringify(answer))
    else if (hadEnded(before, answer.processId))
      await program.stdout.line(`${name} had ended already (${endOf(answer.process)})`)
    else await program.stdout.line(`Killed ${name}`)
    return 0
  },
}

/** Returns whether processes with this id are listed, of which none runs. */
function hadEnded(listed: ProcessInfo[], id: string): boolean {
  const same = listed.filter(({ processId }) => processId === id)
  return same.length > 0 && same.every(({ status }) => status !== 'running')
}

function endOf({ exitCode, signal, status }: Pick<ProcessInfo, 'exitCode' | 'signal' | 'status'>): string {
  return signal ?? (exitCode === null ? status : `exit code ${exitCode}`)
}

/** Accepts `int` as well as `SIGINT`. */
function signalName(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined
  const name = text.toUpperCase()
  return name.startsWith('SIG') ? name : `SIG${name}`
}
