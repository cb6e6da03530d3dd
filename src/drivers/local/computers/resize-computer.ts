import { CarrelError } from '../../../errors.ts'
import { socketBytes } from '../containers/config.ts'
import type { ComputerLimits } from '../../driver.ts'
import type { ComputerContext } from './computer-context.ts'
import { showDisk } from './show-disk.ts'

/** Gives a computer other limits, as `Driver.resize` says. May be called again after a part of it was done. */
export async function resizeComputer(context: ComputerContext, id: string, limits: ComputerLimits): Promise<boolean> {
  const { store, states, volumes } = context
  const record = store.require(id)
  const usedBytes = (await volumes.use(id))?.usedBytes
  if (usedBytes !== undefined && usedBytes > limits.diskBytes)
    throw new CarrelError('conflict', `Cannot resize computer "${id}": its disk holds ${usedBytes} bytes`, {
      details: { usedBytes },
    })
  const runs = states.isRunning(id)
  if (runs && !(await resizeGroups(context, id, limits))) return false
  await volumes.limit(id, limits.diskBytes)
  await store.replace({ ...record, limits })
  if (runs) await showDisk(context, store.require(id))
  return true
}

async function resizeGroups(
  { cgroups, cpus, paths, store }: ComputerContext,
  id: string,
  limits: ComputerLimits,
): Promise<boolean> {
  const isOtherCpus = limits.cpus !== store.require(id).limits.cpus
  return cgroups.resize(paths.cgroup(id), {
    memoryBytes: limits.memoryBytes,
    socketBytes: socketBytes(limits.memoryBytes),
    cpus: limits.cpus,
    pids: limits.pids,
    cpuset: isOtherCpus ? (cpus.allocate(limits.cpus) ?? cpus.all) : undefined,
  })
}
