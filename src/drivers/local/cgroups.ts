import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { readFile, rmdir, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { call, CLONE_NEWNS, MNT_DETACH, MS_PRIVATE } from './system/libc.ts'
import type { CgroupFiles } from './monitor/protocol.ts'

/**
 * The host's control groups, version 1 or 2. With version 1, `controllers` are mounted one by one; with version 2 all
 * are in one tree.
 */
export interface Cgroups {
  version: 1 | 2
  /** Files that the monitor reads and writes for a computer. */
  files(computerPath: string): CgroupFiles
  usage(computerPath: string): Promise<{ memoryBytes: number; cpuMicros: number; pids: number; oomKills: number }>
  freeze(computerPath: string, frozen: boolean): Promise<void>
  isFrozen(computerPath: string): Promise<boolean>
  cpuMicros(computerPath: string): Promise<number>
  /** KILL to every process of a computer but some; says how many there were. */
  kill(computerPath: string, exceptPids: ReadonlySet<number>): number
  /** Removes what the runtime leaves behind, dead or alive. */
  remove(computerPath: string): Promise<void>
  /** Names of the groups under a path. */
  list(parentPath: string): string[]
}

const root = '/sys/fs/cgroup'

/**
 * Finds out what the host has. A hybrid host (version 1 with controllers in a version 2 tree beside it) is refused by
 * crun, so there the version 2 tree is taken out of this process's own mount namespace, which its children share.
 */
export function openCgroups(): Cgroups {
  if (existsSync(`${root}/cgroup.controllers`)) return version2
  if (existsSync(`${root}/unified/cgroup.controllers`)) hideUnifiedTree()
  return version1
}

function hideUnifiedTree(): void {
  call('unshare', CLONE_NEWNS)
  call('mount', 'none', `${root}/unified`, null, MS_PRIVATE, null)
  call('umount2', `${root}/unified`, MNT_DETACH)
}

const version1: Cgroups = {
  version: 1,
  files: (path) => ({
    procs: `${root}/pids${path}/cgroup.procs`,
    oomKills: `${root}/memory${path}/memory.oom_control`,
    freeze: { path: `${root}/freezer${path}/freezer.state`, on: 'FROZEN', off: 'THAWED' },
  }),
  async usage(path) {
    const [memory, stat, cpuMicros, pids, oom] = await Promise.all([
      number(`${root}/memory${path}/memory.usage_in_bytes`),
      text(`${root}/memory${path}/memory.stat`),
      version1.cpuMicros(path),
      number(`${root}/pids${path}/pids.current`),
      text(`${root}/memory${path}/memory.oom_control`),
    ])
    const cache = field(stat, 'total_inactive_file')
    return {
      memoryBytes: Math.max(0, memory - cache),
      cpuMicros,
      pids,
      oomKills: field(oom, 'oom_kill'),
    }
  },
  cpuMicros: async (path) => Math.round((await number(`${root}/cpuacct${path}/cpuacct.usage`)) / 1000),
  async freeze(path, frozen) {
    const state = `${root}/freezer${path}/freezer.state`
    await writeFile(state, frozen ? 'FROZEN' : 'THAWED')
    // It is FREEZING until the last process stands still.
    await until(async () => !frozen || (await text(state)).trim() === 'FROZEN')
  },
  async isFrozen(path) {
    return (await text(`${root}/freezer${path}/freezer.state`)).trim() !== 'THAWED'
  },
  kill: (path, exceptPids) => killAll(`${root}/pids${path}/cgroup.procs`, exceptPids),
  async remove(path) {
    killAll(`${root}/pids${path}/cgroup.procs`)
    await Promise.all(controllerMounts().map((mount) => removeGroup(mount + path)))
    // Where the version 2 tree was, the runtime makes a plain directory. Synchronous: threads of the pool see the tree.
    if (unifiedTreeIsHidden()) rmSync(`${root}/unified${path}`, { recursive: true, force: true })
  },
  list: (path) => {
    const parents = [...controllerMounts(), ...(unifiedTreeIsHidden() ? [`${root}/unified`] : [])].map(
      (mount) => mount + path,
    )
    return [...new Set(parents.flatMap(directories))]
  },
}

/** Here, or by whoever started this server. Threads of the pool may see the tree all the same. */
function unifiedTreeIsHidden(): boolean {
  return existsSync(`${root}/unified`) && !existsSync(`${root}/unified/cgroup.controllers`)
}

function controllerMounts(): string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'latin1').matchAll(/ (\/sys\/fs\/cgroup\/[^ ]+) .* - cgroup /g)
  return [...mounts].map((match) => match[1]!)
}

const version2: Cgroups = {
  version: 2,
  files: (path) => ({
    procs: `${root}${path}/cgroup.procs`,
    oomKills: `${root}${path}/memory.events`,
    freeze: { path: `${root}${path}/cgroup.freeze`, on: '1', off: '0' },
  }),
  async usage(path) {
    const [memory, stat, cpuMicros, pids, events] = await Promise.all([
      number(`${root}${path}/memory.current`),
      text(`${root}${path}/memory.stat`),
      version2.cpuMicros(path),
      number(`${root}${path}/pids.current`),
      text(`${root}${path}/memory.events`),
    ])
    const cache = field(stat, 'inactive_file')
    return {
      memoryBytes: Math.max(0, memory - cache),
      cpuMicros,
      pids,
      oomKills: field(events, 'oom_kill'),
    }
  },
  cpuMicros: async (path) => field(await text(`${root}${path}/cpu.stat`), 'usage_usec'),
  async freeze(path, frozen) {
    await writeFile(`${root}${path}/cgroup.freeze`, frozen ? '1' : '0')
    await until(async () => !frozen || field(await text(`${root}${path}/cgroup.events`), 'frozen') === 1)
  },
  async isFrozen(path) {
    return (await text(`${root}${path}/cgroup.freeze`)).trim() === '1'
  },
  kill: (path, exceptPids) => killAll(`${root}${path}/cgroup.procs`, exceptPids),
  async remove(path) {
    killAll(`${root}${path}/cgroup.procs`)
    await removeGroup(root + path)
  },
  list: (path) => directories(root + path),
}

/** Nothing is left of a computer that its runtime removed, but another runtime than the one that made it finds nothing to end. */
function killAll(procs: string, exceptPids?: ReadonlySet<number>): number {
  let pids: number[]
  try {
    pids = readFileSync(procs, 'latin1')
      .split('\n')
      .map(Number)
      .filter((pid) => pid > 1 && !exceptPids?.has(pid))
  } catch {
    return 0
  }
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended by itself.
    }
  }
  return pids.length
}

/** A group can be removed when the last of its processes is gone for good, which takes a moment after its end. */
async function removeGroup(directory: string): Promise<void> {
  for (let tries = 0; tries < maxRemoveTries; tries++) {
    const error = await rmdir(directory).then(
      () => undefined,
      (cause: NodeJS.ErrnoException) => cause,
    )
    if (error?.code !== 'EBUSY') return
    await delay(removeRetryMs)
  }
}

function directories(parent: string): string[] {
  try {
    return readdirSync(parent, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  } catch {
    return []
  }
}

/** Asks again until it is so, for a second at most. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; waitedMs < 1000 && !(await isSo()); waitedMs += freezePollMs) await delay(freezePollMs)
}

const freezePollMs = 5
const maxRemoveTries = 100
const removeRetryMs = 10

async function text(path: string): Promise<string> {
  return readFile(path, 'latin1').catch(() => '')
}

async function number(path: string): Promise<number> {
  return Number((await text(path)).trim()) || 0
}

function field(content: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(content)?.[1] ?? 0)
}
