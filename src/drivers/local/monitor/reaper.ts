import { constants } from 'node:os'
import { readInsidePid } from './inside-pid.ts'
import { call, PR_SET_CHILD_SUBREAPER } from '../system/libc.ts'

export interface WaitStatus {
  /** 0–255, or 128 + signal. */
  exitCode: number
  signal: string | null
}

/** How a child ended that nobody had asked for yet, and the id that it had in its computer. */
interface Unclaimed {
  status: WaitStatus
  insidePid: number
}

/** Some numbers have two names (SIGABRT, SIGIOT): the first is the usual one. */
const signalNames = new Map(
  Object.entries(constants.signals)
    .toReversed()
    .map(([name, number]) => [number, name]),
)

/**
 * Waits for every child of this program: the runtime, and as subreaper the processes that it started and left behind.
 * `waitid` tells exit and signal apart, which the runtime's own exit code does not. What nobody asked for is reaped too:
 * unreaped it would keep its computer's process namespace, and so the computer's end would never come.
 */
export class Reaper {
  readonly #waiting = new Map<number, (status: WaitStatus) => void>()
  readonly #unclaimed = new Map<number, Unclaimed>()
  readonly #info = Buffer.alloc(128)

  constructor() {
    call('prctl', PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    process.on('SIGCHLD', () => this.#reapAll())
  }

  /** Calls back once, at once when the process has ended already. */
  watch(pid: number, ended: (status: WaitStatus) => void): void {
    const unclaimed = this.#unclaimed.get(pid)
    if (!unclaimed) return void this.#waiting.set(pid, ended)
    this.#unclaimed.delete(pid)
    ended(unclaimed.status)
  }

  /** The id that a child has in its computer, or had when it ended before anybody asked for it. */
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

/** A start takes milliseconds; process ids come again after seconds at the soonest. */
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
