import { existsSync, readFileSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { readPids } from '../monitor/process-tree.ts'
import type { Cgroups, GroupLimits } from './cgroups.ts'
import type { ExecGroups } from './exec-groups.ts'
import {
  directories,
  field,
  killAll,
  maxFreezeMs,
  neededMemory,
  number,
  removeGroup,
  text,
  textSync,
  until,
} from './group-files.ts'
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
  async freeze(path, frozen, withinMs = maxFreezeMs) {
    const state = `${cgroupRoot}/freezer${path}/freezer.state`
    await writeFile(state, frozen ? 'FROZEN' : 'THAWED')
    // The state is FREEZING until the last process is frozen.
    return until(async () => !frozen || (await text(state)).trim() === 'FROZEN', withinMs)
  },
  async resize(path, limits) {
    if (!(await resizeMemory(path, limits))) return false
    await writeFile(`${cgroupRoot}/cpu${path}/cpu.cfs_quota_us`, String(Math.round(limits.cpus * cpuPeriodMicros)))
    await writeFile(`${cgroupRoot}/pids${path}/pids.max`, String(limits.pids))
    if (limits.cpuset !== undefined) await writeFile(`${cgroupRoot}/cpuset${path}/cpuset.cpus`, limits.cpuset)
    return true
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

/** Sets the limit on memory, and the one on memory with swap, which is never the lower of the two. */
async function resizeMemory(path: string, { memoryBytes, socketBytes }: GroupLimits): Promise<boolean> {
  const group = `${cgroupRoot}/memory${path}`
  const [used, stat, before, withSwap] = await Promise.all([
    number(`${group}/memory.usage_in_bytes`),
    text(`${group}/memory.stat`),
    number(`${group}/memory.limit_in_bytes`),
    number(`${group}/memory.memsw.limit_in_bytes`),
  ])
  if (neededMemory(used, stat, 'total_') > memoryBytes) return false
  const files = ['memory.limit_in_bytes', ...(withSwap === before ? ['memory.memsw.limit_in_bytes'] : [])]
  for (const file of memoryBytes > before ? files.toReversed() : files)
    if (!(await lower(`${group}/${file}`, memoryBytes))) return false
  if (version1.countsSocketsApart) await lower(`${group}/memory.kmem.tcp.limit_in_bytes`, socketBytes)
  return true
}

/** Returns false when the kernel refuses the limit because more is in use. */
async function lower(file: string, bytes: number): Promise<boolean> {
  try {
    await writeFile(file, String(bytes))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error
    return false
  }
}

const cpuPeriodMicros = 100_000

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
