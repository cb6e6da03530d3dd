import { existsSync, readFileSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { readPids } from '../monitor/process-tree.ts'
import type { Cgroups } from './cgroups.ts'
import type { ExecGroups } from './exec-groups.ts'
import { directories, field, killAll, number, removeGroup, text, textSync, until } from './group-files.ts'
import { cgroupRoot } from '../system/cgroup-root.ts'

/** Control groups of version 1: each controller has a mount of its own. */
export const version1: Cgroups = {
  version: 1,
  countsSocketsApart: existsSync(`${cgroupRoot}/memory/memory.kmem.tcp.limit_in_bytes`),
  files: (path) => ({
    procs: `${cgroupRoot}/pids${path}/cgroup.procs`,
    oomKills: `${cgroupRoot}/memory${path}/memory.oom_control`,
    freeze: { path: `${cgroupRoot}/freezer${path}/freezer.state`, on: 'FROZEN', off: 'THAWED' },
  }),
  async usage(path) {
    const [memory, stat, pids, oom] = await Promise.all([
      number(`${cgroupRoot}/memory${path}/memory.usage_in_bytes`),
      text(`${cgroupRoot}/memory${path}/memory.stat`),
      number(`${cgroupRoot}/pids${path}/pids.current`),
      text(`${cgroupRoot}/memory${path}/memory.oom_control`),
    ])
    const cache = field(stat, 'total_inactive_file')
    return {
      memoryBytes: Math.max(0, memory - cache),
      cpuMicros: version1.cpuMicros(path) ?? 0,
      pids,
      oomKills: field(oom, 'oom_kill'),
    }
  },
  cpuMicros(path) {
    const nanos = textSync(`${cgroupRoot}/cpuacct${path}/cpuacct.usage`)
    return nanos === undefined ? undefined : Math.round(Number(nanos) / 1000)
  },
  async freeze(path, frozen) {
    const state = `${cgroupRoot}/freezer${path}/freezer.state`
    await writeFile(state, frozen ? 'FROZEN' : 'THAWED')
    // The state is FREEZING until the last process is frozen.
    await until(async () => !frozen || (await text(state)).trim() === 'FROZEN')
  },
  async isFrozen(path) {
    return (await text(`${cgroupRoot}/freezer${path}/freezer.state`)).trim() !== 'THAWED'
  },
  prepare: () => {},
  pids: (path) => readPids(`${cgroupRoot}/pids${path}/cgroup.procs`),
  kill: (path, exceptPids) => killAll(version1.pids(path), exceptPids),
  async remove(path) {
    killAll(version1.pids(path))
    await Promise.all(controllerMounts().map((mount) => removeGroup(mount + path)))
    // In place of the hidden version 2 tree, the runtime creates a plain directory. Removed synchronously, as threads
    // of the pool still see the tree.
    if (unifiedTreeIsHidden()) rmSync(`${cgroupRoot}/unified${path}`, { recursive: true, force: true })
  },
  list: (path) => {
    const parents = [...controllerMounts(), ...(unifiedTreeIsHidden() ? [`${cgroupRoot}/unified`] : [])].map(
      (mount) => mount + path,
    )
    return [...new Set(parents.flatMap(directories))]
  },
}

/** Returns control groups of version 1 with a group for each exec in a version 2 tree. */
export function withExecGroups(groups: ExecGroups): Cgroups {
  return {
    ...version1,
    files: (path) => ({ ...version1.files(path), groups: { parent: path, byRuntime: false } }),
    prepare: (path) => groups.create(path),
    async remove(path) {
      await version1.remove(path)
      await groups.remove(path)
    },
    list: (path) => [...new Set([...version1.list(path), ...groups.list(path)])],
  }
}

/** Hidden by this process or by the one that started it. Threads of the pool may see the tree all the same. */
function unifiedTreeIsHidden(): boolean {
  return existsSync(`${cgroupRoot}/unified`) && !existsSync(`${cgroupRoot}/unified/cgroup.controllers`)
}

function controllerMounts(): string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'latin1').matchAll(/ (\/sys\/fs\/cgroup\/[^ ]+) .* - cgroup /g)
  return [...mounts].map((match) => match[1]!)
}
