import { WebSocket } from 'ws'
import type { Carrel, ExecOutput } from '../../../sdk/index.ts'
import { parseCount } from '../arguments.ts'
import { openClient } from '../open-client.ts'
import type { Program } from '../program.ts'
import { TailLines } from '../tail-lines.ts'
import { UsageError } from '../usage-error.ts'
import type { Verb } from '../verb.ts'

export const logs: Verb = {
  usage: 'logs [options] <id>',
  description: `
Shows the output of a process that runs or has ended: its stdout on stdout, its stderr on stderr. "ps" shows the ids. The
server keeps the newest output, for a day after the end.

With -f it goes on until the process ends, and exits with 0 then, whatever the code of the process: "attach" has that.`,
  examples: [
    ['logs web', 'what the process "web" has printed'],
    ['logs -f --tail 20 web', 'its last 20 lines, and what it prints from now on'],
  ],
  options: {
    follow: { type: 'boolean', short: 'f', help: 'Go on until the process ends' },
    tail: { type: 'string', value: '<n>', help: 'Only the last lines of the output so far' },
  },
  shared: ['session', 'json'],
  operands: [1, 1],
  async run({ program, values, operands: [id = ''] }) {
    const { tail, follow } = values
    if (follow && values.json) throw new UsageError('Cannot use "--follow" and "--json" together')
    const count = parseCount(typeof tail === 'string' ? tail : undefined, 'a number of lines', { min: 0 })
    const client = await openClient(program, { ...values, timeout: undefined }, { WebSocket })
    if (values.json) await program.stdout.line(JSON.stringify(await toJson(client, id, count)))
    else if (count === undefined) await print(program, client, { id, follow: follow === true })
    else {
      const { lines, cursor } = await readTail(client, id, count)
      for (const { channel, data } of lines) await program[channel].write(data)
      if (follow) await print(program, client, { id, follow: true, cursor })
    }
    return 0
  },
}

/** Prints the output from a position on; to the end of the process if it is followed. */
async function print(
  program: Program,
  client: Carrel,
  { id, follow, cursor = 0 }: { id: string; follow: boolean; cursor?: number },
): Promise<void> {
  const session = await client.attach(id, { follow, cursor })
  for await (const { channel, data } of session) await program[channel].write(data)
  // The end of a process that is not followed is not waited for.
  const end = await session.exit.catch(() => undefined)
  if (end?.truncated) await program.stderr.line(`${program.name}: Some output is missing: the server keeps the newest`)
}

/** Returns the last lines of the output so far, and the position after it. */
async function readTail(client: Carrel, id: string, count: number) {
  const session = await client.attach(id, { follow: false })
  const lines = new TailLines(count)
  for await (const output of session) lines.push(output)
  return { lines, cursor: session.cursor }
}

async function toJson(client: Carrel, id: string, count = Infinity) {
  const { lines } = await readTail(client, id, count)
  const text = { stdout: '', stderr: '' }
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }
  const add = (channel: ExecOutput['channel'], data?: Uint8Array) =>
    (text[channel] += decoders[channel].decode(data, { stream: data !== undefined }))
  for (const { channel, data } of lines) add(channel, data)
  for (const channel of ['stdout', 'stderr'] as const) add(channel)
  return { processId: id, ...text }
}
