import type { AccessibleComputer } from '../../../engine/computers/access/open-computer.ts'
import { listRunning } from '../../../engine/computers/processes/list-running.ts'
import type { Engine } from '../../../engine/engine.ts'

/** Returns the running processes of a computer, whoever started them. Their variables are not shown. */
export function runningProcesses(engine: Engine, computer: AccessibleComputer<'run'>) {
  return listRunning(engine, computer).map(({ processId, pid, meta }) => {
    const [cmd = '', ...args] = meta.config?.argv ?? [meta.command]
    const isNamed = meta.name !== processId
    return { config: { cmd, args, cwd: meta.config?.cwd }, pid, ...(isNamed ? { tag: meta.name } : {}) }
  })
}
