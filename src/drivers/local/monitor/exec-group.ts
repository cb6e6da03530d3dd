import { closeSync, mkdirSync, openSync, readFileSync, rmdirSync, write, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { cgroupRoot } from '../system/cgroup-root.ts'
import { groupTree } from '../system/group-tree.ts'
import { signalEach } from '../system/signal.ts'
import { readPids } from './process-tree.ts'
import type { CgroupFiles, ExecGroupsLocation } from './protocol.ts'

/**
 * The control group (version 2) of one exec, which holds all of its descendants: no program can leave it, whatever it
 * does to its parents, session, name or environment. One write makes the kernel kill all of them, including forks in
 * progress, so that the effort of ending them is bounded whatever the programs do.
 */
export class ExecGroup {
  readonly #directory: string

  private constructor(directory: string) {
    this.#directory = directory
  }

  /** Returns undefined where the host has no tree for the group. Throws when the group cannot be created. */
  static create(processId: string, { groups }: CgroupFiles): ExecGroup | undefined {
    const parent = groups && groupDirectory(groups)
    if (parent === undefined) return undefined
    const directory = join(parent, processId)
    try {
      mkdirSync(directory)
    } catch (error) {
      // The computer was started by an older server, which did not create groups.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
    return new ExecGroup(directory)
  }

  /** Moves a process into the group. Its later children are in the group too. */
  enter(pid: number): Promise<void> {
    return enterGroup(this.#directory, pid)
  }

  /** Returns the host ids of the processes in the group. */
  pids(): number[] {
    return readPids(join(this.#directory, 'cgroup.procs'))
  }

  /**
   * Sends a signal to the present processes; SIGKILL reaches new ones as well. Resolves when the signal is sent, and
   * for SIGKILL when no process is left.
   */
  async signal(signal: NodeJS.Signals): Promise<void> {
    if (signal === 'SIGKILL') return endGroup(this.#directory)
    signalEach(this.pids(), signal)
  }

  /** Removes the group. Returns false while a process that outlived the exec is in it. */
  remove(): boolean {
    try {
      rmdirSync(this.#directory)
      return true
    } catch (error) {
      return (error as NodeJS.ErrnoException).code !== 'EBUSY'
    }
  }
}

/** Kills all descendants of an exec whose group another program created. */
export async function endExec(processId: string, { groups }: CgroupFiles): Promise<void> {
  const parent = groups && groupDirectory(groups)
  if (parent !== undefined) await endGroup(join(parent, processId))
}

/** Returns the directory of a computer's group; undefined where this program cannot reach it. */
export function groupDirectory({ parent, byRuntime }: ExecGroupsLocation): string | undefined {
  const tree = byRuntime ? cgroupRoot : groupTree()
  return tree === undefined ? undefined : tree + parent
}

/** Moves a process into a group, on another thread, as the kernel may have to wait for forks. */
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
 * Kills all processes of a group and of the groups below it. Resolves when none is left, or after some seconds. Does
 * nothing when the group does not exist.
 */
export async function endGroup(directory: string): Promise<void> {
  for (let pauseMs = firstPauseMs; pauseMs < lastPauseMs; pauseMs *= 2) {
    if (!writeKill(directory)) return
    const left = readPids(join(directory, 'cgroup.procs'))
    if (left.length === 0) return
    // The kernel skips a process whose first thread has ended while others continue; a direct signal reaches it.
    signalEach(left, 'SIGKILL')
    await delay(pauseMs)
  }
}

/** Returns false when the group does not exist any more. */
function writeKill(directory: string): boolean {
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
 * Returns the process id of the exec that a process descends from, by its group: the last part of the path, below the
 * computer's. undefined when the process has ended or belongs to no exec. Unlike reading an environment, the process
 * cannot delay this read.
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
