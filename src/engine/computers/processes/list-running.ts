import type { Context } from '../../context.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import { isOfCaller, type ProcessMeta } from './process-meta.ts'

export interface RunningProcess {
  processId: string
  pid: number
  meta: Pick<ProcessMeta, 'name' | 'command' | 'config'>
}

/** Returns the processes that run on a computer, in the order of their start, without kernels. */
export function listRunning({ driver }: Pick<Context, 'driver'>, { id }: AccessibleComputer): RunningProcess[] {
  return driver
    .processesOn(id)
    .filter((process) => !process.exit && isOfCaller(process))
    .map(({ processId, pid, meta }) => ({ processId, pid, meta: meta as unknown as ProcessMeta }))
}
