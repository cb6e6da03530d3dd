import type { ProcessInfo } from '../../../sdk/index.ts'
import { openClient } from '../open-client.ts'
import { table } from '../table.ts'
import { shortTime } from '../times.ts'
import type { Verb } from '../verb.ts'

export const ps: Verb = {
  usage: 'ps [options]',
  description: 'Lists the processes that run and those that have ended.',
  options: {},
  operands: [0, 0],
  async run({ program, values }) {
    const client = await openClient(program, values)
    const processes = await client.processes.list()
    const text = values.json ? `${JSON.stringify({ processes })}\n` : processTable(processes)
    await program.stdout.write(program.stdout.size ? cutLines(text, program.stdout.size.cols) : text)
    return 0
  },
}

function processTable(processes: ProcessInfo[]): string {
  const columns = ['ID', 'PID', 'STATUS', 'EXIT', 'STARTED', 'COMMAND'].map((title) => ({ title }))
  const rows = processes.map(({ processId, pid, status, exitCode, startedAt, command }) => [
    processId,
    String(pid || '-'),
    status,
    exitCode === null || exitCode === undefined ? '-' : String(exitCode),
    shortTime(startedAt),
    command,
  ])
  return table(columns, rows)
}

/** A line of a terminal each. */
function cutLines(text: string, width: number): string {
  return text.replaceAll(/^.*$/gm, (line) => (line.length > width ? `${line.slice(0, width - 1)}…` : line))
}
