import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import type { Cgroups } from './cgroups.ts'
import {
  directories,
  field,
  killAll,
  maxFreezeMs,
  neededMemory,
  number,
  pidsBelow,
  removeTree,
  text,
  textSync,
  until,
} from './group-files.ts'
import { cgroupRoot } from '../system/cgroup-root.ts'

/** Control groups of version 2. Each exec has a group below its computer's, into which the runtime puts it. */
export const version2: Cgroups = {
  version: 2,
  countsSocketsApart: false,
  files: (path) => ({
    procs: `${cgroupRoot}${path}/cgroup.procs`,
    oomKills: `${cgroupRoot}${path}/memory.events`,
    freeze: { path: `${cgroupRoot}${path}/cgroup.freeze`, on: '1', off: '0' },
    // A kernel before 5.14 cannot kill a group at once.
    ...(existsSync(`${cgroupRoot}${path}/cgroup.kill`) ? { groups: { parent: path, byRuntime: true } } : {}),
  }),
  async usage(path) {
    const [memory, stat, pids, events] = await Promise.all([
      number(`${cgroupRoot}${path}/memory.current`),
      text(`${cgroupRoot}${path}/memory.stat`),
      number(`${cgroupRoot}${path}/pids.current`),
      text(`${cgroupRoot}${path}/memory.events`),
    ])
    const cache = field(stat, 'inactive_file')
    return {
      memoryBytes: Math.max(0, memory - cache),
      cpuMicros: version2.cpuMicros(path) ?? 0,
      pids,
      oomKills: field(events, 'oom_kill'),
    }
  },
  cpuMicros(path) {
    const stat = textSync(`${cgroupRoot}${path}/cpu.stat`)
    return stat === undefined ? undefined : field(stat, 'usage_usec')
  },
  async freeze(path, frozen, withinMs = maxFreezeMs) {
    await writeFile(`${cgroupRoot}${path}/cgroup.freeze`, frozen ? '1' : '0')
    const isFrozen = async () => field(await text(`${cgroupRoot}${path}/cgroup.events`), 'frozen') === 1
    return until(async () => !frozen || (await isFrozen()), withinMs)
  },
  async resize(path, { memoryBytes, cpus, pids, cpuset }) {
    const group = `${cgroupRoot}${path}`
    const used = await number(`${group}/memory.current`)
    if (neededMemory(used, await text(`${group}/memory.stat`)) > memoryBytes) return false
    await writeFile(`${group}/memory.max`, String(memoryBytes))
    await writeFile(`${group}/cpu.max`, `${Math.round(cpus * cpuPeriodMicros)} ${cpuPeriodMicros}`)
    await writeFile(`${group}/pids.max`, String(pids))
    if (cpuset !== undefined) await writeFile(`${group}/cpuset.cpus`, cpuset)
    return true
  },
  async isFrozen(path) {
    return (await text(`${cgroupRoot}${path}/cgroup.freeze`)).trim() === '1'
  },
  prepare: () => {},
  pids: (path) => pidsBelow(cgroupRoot + path),
  kill: (path, exceptPids) => killAll(version2.pids(path), exceptPids),
  async remove(path) {
    killAll(version2.pids(path))
    await removeTree(cgroupRoot + path)
  },
  list: (path) => directories(cgroupRoot + path),
}

const cpuPeriodMicros = 100_000
