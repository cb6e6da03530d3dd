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
  readonly #info = Buffer.alloc(128)

  constructor() {
    call('prctl', PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    process.on('SIGCHLD', () => {
      for (const pid of this.#waiting.keys()) this.#check(pid)
    })
  }

  /** Calls back once, at once when the process has ended already. */
  watch(pid: number, ended: (status: WaitStatus) => void): void {
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

const P_PID = 1
const WNOHANG = 1
const WEXITED = 4
const CLD_EXITED = 1
/** Offsets in siginfo_t on 64-bit Linux. */
const SI_CODE = 8
const SI_PID = 16
const SI_STATUS = 24
