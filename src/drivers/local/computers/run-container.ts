import { join } from 'node:path'
import { limits } from '../../../config/limits.ts'
import { CarrelError } from '../../../errors.ts'
import { clearUnlessRunning } from './clear-runtime-state.ts'
import type { ComputerContext } from './computer-context.ts'
import type { ComputerRecord } from './computer-store.ts'
import { writeBundle, type ContainerView } from './write-bundle.ts'

/** Runs the container of a computer through the monitor, and records it as running. */
export async function runContainer(
  context: ComputerContext,
  record: ComputerRecord,
  view: ContainerView,
): Promise<void> {
  const { paths, runtime, cgroups, states, seccomp } = context
  const { id } = record
  await writeBundle(context, record, view)
  cgroups.prepare(paths.cgroup(id))
  states.setRunning(id, await requestRun(context, id))
  await seccomp.learn(runtime.stateDirectory(id))
}

/** Returns the host process id of the container's first process. */
async function requestRun(context: ComputerContext, id: string): Promise<number> {
  const { paths, runtime, cgroups, monitor, lock } = context
  const bundle = paths.computer(id)
  const pidFile = join(bundle, 'pid')
  const request = {
    op: 'run-container' as const,
    computerId: id,
    command: runtime.runCommand(id, bundle, pidFile),
    pidFile,
    groups: cgroups.files(paths.cgroup(id)).groups,
    notAfterMs: Date.now() + limits.monitorTimeoutMs,
  }
  // A start that was given up may succeed later.
  const late = () => void lock.run(id, () => clearUnlessRunning(context, id)).catch(() => {})
  try {
    return (await monitor().request<{ pid: number }>(request, { late })).pid
  } catch (error) {
    throw withoutHostPaths(id, error)
  }
}

/** Messages of the runtime name paths of the host. They go to the log, as the cause, and not to the client. */
function withoutHostPaths(id: string, error: unknown): unknown {
  if (!(error instanceof CarrelError) || error.code !== 'internal') return error
  return new CarrelError('internal', `Cannot start computer "${id}": the container runtime failed`, { cause: error })
}
