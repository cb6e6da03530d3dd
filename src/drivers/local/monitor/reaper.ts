import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { call, PR_SET_CHILD_SUBREAPER } from '../system/libc.ts'

export interface WaitStatus {
  /** 0–255, or 128 + signal. */
  exitCode: number
  signal: string | null
}

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]))

/**
 * Waits for processes that the container runtime started and left behind: as their subreaper this process inherits
 * them, and `waitid` tells exit and signal apart, which the runtime's own exit code does not.
 */
export class Reaper {
  readonly #waiting = new Map<number, (status: WaitStatus) => void>()
  /** Children that Node waits for itself. */
  readonly #nodes = new Set<number>()
  /** How orphans ended that nobody had asked for yet. */
  readonly #unclaimed = new Map<number, WaitStatus>()
  readonly #info = Buffer.alloc(128)
  #sweep: NodeJS.Timeout | undefined

  constructor() {
    call('prctl', PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    process.on('SIGCHLD', () => {
      for (const pid of this.#waiting.keys()) this.#check(pid)
      this.#sweep ??= setTimeout(() => this.#reapOrphans(), sweepMs)
    })
  }

  /** Leaves a child to Node. */
  leave(child: ChildProcess): void {
    const { pid } = child
    if (pid === undefined) return
    this.#nodes.add(pid)
    child.once('exit', () => this.#nodes.delete(pid))
  }

  /** Calls back once, at once when the process has ended already. */
  watch(pid: number, ended: (status: WaitStatus) => void): void {
    const status = this.#unclaimed.get(pid)
    if (status) {
      this.#unclaimed.delete(pid)
      return ended(status)
    }
    this.#waiting.set(pid, ended)
    this.#check(pid)
  }

  #check(pid: number): void {
    const status = this.#reap(pid)
    if (!status) return
    const ended = this.#waiting.get(pid)
    this.#waiting.delete(pid)
    ended?.(status)
  }

  /**
   * What the runtime leaves of a start, failed or not, is inherited too. Unreaped it would keep the computer's process
   * namespace, and so its end would never come.
   */
  #reapOrphans(): void {
    this.#sweep = undefined
    for (const pid of readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1')
      .split(' ')
      .filter(Boolean)
      .map(Number)) {
      if (this.#nodes.has(pid) || this.#waiting.has(pid)) continue
      const status = this.#reap(pid)
      if (!status) continue
      this.#unclaimed.set(pid, status)
      setTimeout(() => this.#unclaimed.delete(pid), unclaimedMs)
    }
  }

  #reap(pid: number): WaitStatus | undefined {
    this.#info.fill(0)
    try {
      call('waitid', P_PID, pid, this.#info, WEXITED | WNOHANG)
    } catch {
      return { exitCode: 255, signal: null }
    }
    if (this.#info.readInt32LE(SI_PID) !== pid) return undefined
    const status = this.#info.readInt32LE(SI_STATUS)
    if (this.#info.readInt32LE(SI_CODE) === CLD_EXITED) return { exitCode: status, signal: null }
    return { exitCode: 128 + status, signal: signalNames.get(status) ?? `SIG${status}` }
  }
}

const sweepMs = 20
/** A start takes milliseconds; process ids come again after seconds at the soonest. */
const unclaimedMs = 3000
const P_PID = 1
const WNOHANG = 1
const WEXITED = 4
const CLD_EXITED = 1
/** Offsets in siginfo_t on 64-bit Linux. */
const SI_CODE = 8
const SI_PID = 16
const SI_STATUS = 24
