import { constants } from 'node:os'
import { readInsidePid } from './inside-pid.ts'
import { call, PR_SET_CHILD_SUBREAPER } from '../system/libc.ts'

export interface WaitStatus {
  /** 0–255, or 128 + signal. */
  exitCode: number
  signal: string | null
}

/** The end of a child that is not watched yet, and the id that it had inside its computer. */
interface Unclaimed {
  status: WaitStatus
  insidePid: number
}

/** Some signals have two names (SIGABRT, SIGIOT): the first is the usual one. */
const signalNames = new Map(
  Object.entries(constants.signals)
    .toReversed()
    .map(([name, number]) => [number, name]),
)

/**
 * Waits for all children of this program: the runtime and, as a subreaper, the processes that the runtime started and
 * left. `waitid` distinguishes exit and signal, which the runtime's own exit code does not. Children that are not
 * watched are reaped too: an unreaped one would keep its computer's process namespace, and the computer would never
 * end.
 */
export class Reaper {
  readonly #waiting = new Map<number, (status: WaitStatus) => void>()
  readonly #unclaimed = new Map<number, Unclaimed>()
  readonly #info = Buffer.alloc(128)

  constructor() {
    call('prctl', PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    process.on('SIGCHLD', () => this.#reapAll())
  }

  /** Calls back once, when the process ends; synchronously when it has ended already. */
  watch(pid: number, ended: (status: WaitStatus) => void): void {
    const unclaimed = this.#unclaimed.get(pid)
    if (!unclaimed) return void this.#waiting.set(pid, ended)
    this.#unclaimed.delete(pid)
    ended(unclaimed.status)
  }

  /** Returns the id that a child has inside its computer, or had when it ended before it was watched. */
  insidePid(pid: number): number {
    return this.#unclaimed.get(pid)?.insidePid ?? readInsidePid(pid)
  }

  #reapAll(): void {
    for (let child = this.#reapOne(); child; child = this.#reapOne()) {
      const { pid, status, insidePid } = child
      const ended = this.#waiting.get(pid)
      if (ended) {
        this.#waiting.delete(pid)
        ended(status)
      } else {
        this.#unclaimed.set(pid, { status, insidePid })
        setTimeout(() => this.#unclaimed.delete(pid), unclaimedMs)
      }
    }
  }

  #reapOne(): ({ pid: number } & Unclaimed) | undefined {
    this.#info.fill(0)
    try {
      call('waitid', P_ALL, 0, this.#info, WEXITED | WNOHANG | WNOWAIT)
      const pid = this.#info.readInt32LE(SI_PID)
      if (pid === 0) return undefined
      const insidePid = this.#waiting.has(pid) ? 0 : readInsidePid(pid)
      call('waitid', P_PID, pid, this.#info, WEXITED | WNOHANG)
      return { pid, insidePid, status: this.#status() }
    } catch {
      return undefined
    }
  }

  #status(): WaitStatus {
    const status = this.#info.readInt32LE(SI_STATUS)
    if (this.#info.readInt32LE(SI_CODE) === CLD_EXITED) return { exitCode: status, signal: null }
    return { exitCode: 128 + status, signal: signalNames.get(status) ?? `SIG${status}` }
  }
}

/** A start takes milliseconds, and process ids are not reused for seconds. */
const unclaimedMs = 3000
const P_ALL = 0
const P_PID = 1
const WNOHANG = 1
const WEXITED = 4
const WNOWAIT = 0x0100_0000
const CLD_EXITED = 1
/** Offsets in siginfo_t on 64-bit Linux. */
const SI_CODE = 8
const SI_PID = 16
const SI_STATUS = 24
