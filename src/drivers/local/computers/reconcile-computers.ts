import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { mapWithLimit } from '../../../map-with-limit.ts'
import { seccompProfile } from '../containers/seccomp.ts'
import { mountsBelow } from '../host/mounts.ts'
import type { ContainerState } from '../monitor/protocol.ts'
import { clearRuntimeState } from './clear-runtime-state.ts'
import type { ComputerContext } from './computer-context.ts'
import { removeComputer } from './remove-computer.ts'
import { removeUnusedSlots } from './remove-unused-slots.ts'
import { showDisk } from './show-disk.ts'

/**
 * Adopts the computers that have been running since before this server, and removes what a crash left of others. What
 * cannot be removed is logged and left for the next time: one computer that is stuck must not stop the others from
 * running.
 */
export async function reconcileComputers(context: ComputerContext, containers: ContainerState[]): Promise<void> {
  const { store, states, runtime, volumes } = context
  for (const { computerId, pid } of containers) states.setRunning(computerId, pid)
  await runtime.forgetFilters()
  await reconcileKnown(context)
  await logOldFilters(context)
  const orphans = [...(await runtime.list()), ...(await volumes.list())].filter((id) => !store.get(id))
  await forEach(context, new Set(orphans), (id) => removeComputer(context, id))
  await removeUnusedGroups(context)
  await removeUnusedSlots(context)
}

async function reconcileKnown(context: ComputerContext): Promise<void> {
  const { store, states, roots, cgroups, paths } = context
  const mounts = mountsBelow(paths.mounts)
  const known = store.all().map(({ id }) => id)
  await forEach(context, known, async (id) => {
    if (mounts.has(paths.root(id))) roots.adopt(id)
    if (!states.isRunning(id)) return clearRuntimeState(context, id)
    await showDisk(context, store.require(id))
    if (await cgroups.isFrozen(paths.cgroup(id))) states.setPaused(id, true)
  })
}

async function removeUnusedGroups(context: ComputerContext): Promise<void> {
  const { cgroups, paths, states } = context
  const unused = cgroups.list(paths.cgroup('')).filter((id) => !states.isRunning(id))
  await forEach(context, unused, (id) => cgroups.remove(paths.cgroup(id)))
}

/** The seccomp filter of a computer cannot be changed while it runs. */
async function logOldFilters(context: ComputerContext): Promise<void> {
  const { states, paths, log } = context
  const old: string[] = []
  const running = states.running().map(({ id }) => id)
  await forEach(context, running, async (id) => {
    const config = JSON.parse(await readFile(join(paths.computer(id), 'config.json'), 'utf8'))
    if (!isDeepStrictEqual(config.linux.seccomp, seccompProfile)) old.push(id)
  })
  if (old.length > 0)
    log?.warn(
      { computers: old },
      'computers keep the seccomp filter of an earlier version until they are stopped and started',
    )
}

async function forEach(
  { log }: Pick<ComputerContext, 'log'>,
  ids: Iterable<string>,
  work: (id: string) => Promise<void>,
): Promise<void> {
  await mapWithLimit(ids, maxConcurrent, (id) =>
    work(id).catch((error: unknown) =>
      log?.warn({ err: error, computer: id }, 'cannot reconcile a computer; it is left as it is'),
    ),
  )
}

const maxConcurrent = 8
