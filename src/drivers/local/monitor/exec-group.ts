import { closeSync, mkdirSync, openSync, readFileSync, rmdirSync, write, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { cgroupRoot } from '../system/cgroup-root.ts'
import { groupTree } from '../system/group-tree.ts'
import { signalEach } from '../system/signal.ts'
import { readPids } from './process-tree.ts'
import type { CgroupFiles, ExecGroupsPlace } from './protocol.ts'

/**
 * The control group (version 2) of one exec, in which everything that comes of it stays: no program can leave it,
 * whatever it does to its parents, session, name or environment. The kernel ends all of it at one write, forks under way
 * included, so that what the programs do costs their own computer alone.
 */
export class ExecGroup {
  readonly #directory: string

  private constructor(directory: string) {
    this.#directory = directory
  }

  /** undefined where the host has no tree for it. Throws when there should be one and it cannot be made. */
  static make(processId: string, { groups }: CgroupFiles): ExecGroup | undefined {
    const parent = groups && groupDirectory(groups)
    if (parent === undefined) return undefined
    const directory = join(parent, processId)
    try {
      mkdirSync(directory)
    } catch (error) {
      // The computer was started by a server from before there were groups.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
    return new ExecGroup(directory)
  }

  /** Puts a process in; what it starts from then on is in it too. */
  enter(pid: number): Promise<void> {
    return enterGroup(this.#directory, pid)
  }

  /** Host ids of the processes in it. */
  pids(): number[] {
    return readPids(join(this.#directory, 'cgroup.procs'))
  }

  /** SIGKILL reaches all of it; another signal those that are there now. Resolves when it is sent, and after SIGKILL when none is left. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    if (signal === 'SIGKILL') return endGroup(this.#directory)
    signalEach(this.pids(), signal)
  }

  /** Removes it; false while something that outlived the exec is in it. */
  remove(): boolean {
    try {
      rmdirSync(this.#directory)
      return true
    } catch (error) {
      return (error as NodeJS.ErrnoException).code !== 'EBUSY'
    }
  }
}

/** Ends all that came of an exec, from another program than the one that made its group. */
export async function endExec(processId: string, { groups }: CgroupFiles): Promise<void> {
  const parent = groups && groupDirectory(groups)
  if (parent !== undefined) await endGroup(join(parent, processId))
}

/** The directory of a computer's group, as this program reaches it; undefined where it has no way to. */
export function groupDirectory({ parent, byRuntime }: ExecGroupsPlace): string | undefined {
  const tree = byRuntime ? cgroupRoot : groupTree()
  return tree === undefined ? undefined : tree + parent
}

/** Puts a process into a group. On another thread: the kernel may have to wait for whoever is forking. */
export async function enterGroup(directory: string, pid: number): Promise<void> {
  const fd = openSync(join(directory, 'cgroup.procs'), 'w')
  try {
    await writeTo(fd, String(pid))
  } finally {
    closeSync(fd)
  }
}

const writeTo = promisify(write)

/**
 * Ends everything in a group and the groups below it; resolves when none is left, or after some seconds in which the kernel
 * did not get it done. One that is gone has nothing to end.
 */
export async function endGroup(directory: string): Promise<void> {
  for (let pauseMs = firstPauseMs; pauseMs < lastPauseMs; pauseMs *= 2) {
    if (!killAtOnce(directory)) return
    const left = readPids(join(directory, 'cgroup.procs'))
    if (left.length === 0) return
    // The kernel passes over a process whose first thread has ended while others go on; a signal of its own gets through.
    signalEach(left, 'SIGKILL')
    await delay(pauseMs)
  }
}

/** False when the group is gone. */
function killAtOnce(directory: string): boolean {
  try {
    writeFileSync(join(directory, 'cgroup.kill'), '1')
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENODEV') throw error
    return false
  }
}

const firstPauseMs = 1
const lastPauseMs = 5_000

/**
 * The exec that a process came of, by the group that it is in: the last part of its path, below its computer's. undefined
 * for one that is gone or came of none. Reads nothing that the process itself could hold up, as its environment is.
 */
export function execOf(pid: number, computerId: string): string | undefined {
  try {
    const [, path = ''] = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'latin1')) ?? []
    const [processId, parent] = path.split('/').toReversed()
    return parent === computerId ? processId : undefined
  } catch {
    return undefined
  }
}
