import type { ProcessInfo } from '../../../sdk/index.ts'
import { openClient } from '../open-client.ts'
import { table } from '../table.ts'
import { shortTime } from '../times.ts'
import type { Verb } from '../verb.ts'

export const ps: Verb = {
  usage: 'ps [options]',
  description: 'Lists running processes, and ended ones of "start".',
  examples: [
    ['ps', 'running processes, and ended ones of "start"'],
    ['ps -a', 'also the commands of "exec" that have ended'],
  ],
  options: { all: { type: 'boolean', short: 'a', help: 'Include commands that have ended' } },
  shared: ['session', 'timeout', 'json'],
  operands: [0, 0],
  async run({ program, values }) {
    const client = await openClient(program, values)
    const processes = await client.processes.list({ all: values['all'] === true })
    const { width } = program.stdout
    await program.stdout.write(values.json ? `${JSON.stringify({ processes })}\n` : processTable(processes, width))
    return 0
  },
}

function processTable(processes: ProcessInfo[], width?: number): string {
  const showPorts = processes.some(({ ports }) => ports.length > 0)
  const shown = showPorts ? columns.toSpliced(-1, 0, { title: 'PORTS' }) : columns
  const rows = processes.map(({ processId, pid, status, exitCode, startedAt, ports, command }) => [
    processId,
    String(pid || '-'),
    status,
    exitCode === null || exitCode === undefined ? '-' : String(exitCode),
    shortTime(startedAt),
    ...(showPorts ? [ports.map(({ port }) => port).join(',') || '-'] : []),
    command,
  ])
  return table(shown, rows, width)
}

const columns = [
  { title: 'ID' },
  { title: 'PID', dropOrder: 2 },
  { title: 'STATUS' },
  { title: 'EXIT', dropOrder: 3 },
  { title: 'STARTED', dropOrder: 1 },
  { title: 'COMMAND', shrinksTo: 16 },
]
