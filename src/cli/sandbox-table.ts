import type { Sandbox } from '../../sdk/index.ts'
import { defaultTitle } from './sandbox-title.ts'
import { shortSize } from './sizes.ts'
import { table } from './table.ts'
import { shortTime } from './times.ts'

/** Returns a line for each sandbox, with a * at the chosen one. */
export function sandboxTable(sandboxes: Sandbox[], chosen: string, width?: number): string {
  return table(
    columns,
    sandboxes.map((sandbox) => rowOf(sandbox, chosen)),
    width,
  )
}

const columns = [
  {},
  { title: 'NAME', shrinksTo: 12 },
  { title: 'STATE' },
  { title: 'SINCE', dropOrder: 1 },
  { title: 'IDLE', align: 'right' as const, dropOrder: 3 },
  { title: 'PROCESSES', align: 'right' as const, dropOrder: 4 },
  { title: 'DISK', align: 'right' as const, dropOrder: 2 },
  { title: 'PORTS', shrinksTo: 12 },
]

function rowOf(sandbox: Sandbox, chosen: string): string[] {
  const { name, state, since, processes, idle_seconds: idleSeconds, disk_bytes: diskBytes, ports } = sandbox
  return [
    name === chosen ? '*' : '',
    name || defaultTitle,
    state,
    shortTime(since),
    idleSeconds === null ? '-' : shortDuration(idleSeconds),
    processes === null ? '-' : String(processes),
    diskBytes === null ? '-' : shortSize(diskBytes),
    ports.map(({ port, exposed }) => (exposed ? String(port) : `[${port}]`)).join(',') || '-',
  ]
}

/** Returns a time span such as `40 s`, `5 min` or `3 h`, rounded down. */
function shortDuration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  return `${Math.floor(seconds / 3600)} h`
}
