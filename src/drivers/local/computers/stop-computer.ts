import { setTimeout as delay } from 'node:timers/promises'
import { sendSignal } from '../system/signal.ts'
import { clearRuntimeState } from './clear-runtime-state.ts'
import type { ComputerContext } from './computer-context.ts'
import { resumeComputer } from './pause-computer.ts'

/** Stops a computer: TERM to its processes, KILL after `graceMs`. Does nothing when it is stopped. */
export async function stopComputer(context: ComputerContext, id: string, graceMs: number): Promise<void> {
  const { store, states, monitor } = context
  store.require(id)
  const pid = states.pid(id)
  if (pid === undefined) return
  await monitor().request({ op: 'stopping', computerId: id })
  await resumeComputer(context, id)
  await terminate(context, id, { pid, graceMs })
  await clearRuntimeState(context, id)
}

/**
 * Sends TERM to all processes but the first, whose end would kill the rest at once. When they have ended, or after
 * `graceMs`, kills the first.
 */
async function terminate(
  { cgroups, paths, states }: Pick<ComputerContext, 'cgroups' | 'paths' | 'states'>,
  id: string,
  { pid, graceMs }: { pid: number; graceMs: number },
): Promise<void> {
  const others = () => cgroups.pids(paths.cgroup(id)).filter((other) => other !== pid)
  for (const other of graceMs > 0 ? others() : []) sendSignal(other, 'SIGTERM')
  for (const end = Date.now() + graceMs; Date.now() < end && others().length > 0;) await delay(stopPollMs)
  const exit = states.expectExit(id)
  if (!sendSignal(pid, 'SIGKILL')) states.exited(id)
  await Promise.race([exit, delay(maxKillMs)])
  states.stopExpectingExit(id)
  states.setStopped(id)
}

const stopPollMs = 10
const maxKillMs = 10_000
