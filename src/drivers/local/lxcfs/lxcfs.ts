import { existsSync } from 'node:fs'
import { limits } from '../../../config/limits.ts'
import type { HelperStates } from '../../../helper-states.ts'
import { mapWithLimit } from '../../../map-with-limit.ts'
import { findProgram } from '../containers/runtime.ts'
import type { DriverLog } from '../../driver-log.ts'
import { answers, endLxcfs, startLxcfs } from './lxcfs-program.ts'
import type { Paths } from '../paths.ts'
import { renewLxcfs } from './renew-lxcfs.ts'

interface Options {
  paths: Paths
  helpers: HelperStates
  log: DriverLog | undefined
}

/** Where a computer gets its view of `/proc` from. */
export interface LxcfsView {
  folder: string
  /** Increases with each new lxcfs. A computer with the view of an earlier generation must get the present one. */
  generation: number
}

export interface RunningComputer {
  id: string
  /** Host process id of the first process. */
  pid: number
}

/**
 * The lxcfs of this data directory. It outlives the server, and is checked while the server runs: an lxcfs that was
 * killed or does not answer is ended and replaced. Ending it frees the programs that wait for it. Computers that start
 * meanwhile see the host until the new lxcfs is mounted.
 */
export class Lxcfs {
  readonly #options: Options
  readonly #program: string
  #generation = 0
  #isHealthy = false
  #checking: Promise<boolean> | undefined
  #checkingSinceMs = 0
  #failures = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false
  #running: () => RunningComputer[] = () => []
  /** Computers that were started without a view, or with one of an earlier generation. */
  readonly #outdated = new Set<string>()

  /** Returns undefined when lxcfs is not installed or the host has no FUSE. */
  static async open(options: Options): Promise<Lxcfs | undefined> {
    const program = findProgram('lxcfs')
    if (!program || !existsSync('/dev/fuse')) return undefined
    const lxcfs = new Lxcfs(program, options)
    await lxcfs.check()
    return lxcfs
  }

  private constructor(program: string, options: Options) {
    this.#program = program
    this.#options = options
  }

  /** undefined while lxcfs does not answer, or while a check of it is late. */
  get view(): LxcfsView | undefined {
    const isLate = this.#checking !== undefined && Date.now() - this.#checkingSinceMs > lateMs
    if (!this.#isHealthy || isLate) return undefined
    return { folder: this.#options.paths.lxcfs, generation: this.#generation }
  }

  /** Mounts lxcfs in running computers that lost it, and checks it every few seconds from now on. */
  async watch(running: () => RunningComputer[]): Promise<void> {
    this.#running = running
    if (this.view) await this.#renew(running())
    this.#next()
  }

  /**
   * Records that a computer was started with a view, or without one. It gets the present or the next view if necessary.
   */
  started(id: string, view: LxcfsView | undefined): void {
    if (view?.generation !== this.#generation) this.#outdated.add(id)
  }

  /** Checks lxcfs now, and replaces it when it does not answer. Returns whether it answers in the end. */
  check(): Promise<boolean> {
    if (!this.#checking) {
      this.#checkingSinceMs = Date.now()
      this.#checking = this.#check().finally(() => {
        this.#checking = undefined
      })
    }
    return this.#checking
  }

  /** Stops the checks. lxcfs itself continues to run. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #next(): void {
    if (this.#closed) return
    const waitMs = Math.min(limits.lxcfsCheckMs * 2 ** this.#failures, limits.lxcfsRetryMs)
    this.#timer = setTimeout(() => void this.check().finally(() => this.#next()), waitMs).unref()
  }

  async #check(): Promise<boolean> {
    const { paths, log } = this.#options
    try {
      if (await answers(paths.lxcfs, limits.lxcfsAnswerMs)) return this.#found(true)
      if (this.#closed) return false
      if (this.#generation > 0 && this.#failures === 0)
        log?.warn({}, 'lxcfs was killed or does not answer: it is replaced')
      this.#isHealthy = false
      this.#report()
      await endLxcfs(paths)
      return this.#found(await startLxcfs(this.#program, paths))
    } catch (error) {
      log?.warn({ err: error }, 'cannot replace lxcfs; will try again')
      return this.#found(false)
    }
  }

  #found(isHealthy: boolean): boolean {
    const isAnother = isHealthy && !this.#isHealthy
    this.#isHealthy = isHealthy
    this.#failures = isHealthy ? 0 : this.#failures + 1
    this.#report()
    if (isAnother) this.#generation++
    if (isHealthy) void this.#renew(this.#running().filter(({ id }) => isAnother || this.#outdated.has(id)))
    if (isHealthy) this.#outdated.clear()
    return isHealthy
  }

  async #renew(computers: RunningComputer[]): Promise<void> {
    const { log, paths } = this.#options
    await mapWithLimit(computers, maxConcurrent, async ({ id, pid }) => {
      try {
        if (await renewLxcfs(paths.lxcfs, pid)) log?.info({ computer: id }, 'remounted lxcfs in a computer')
      } catch (error) {
        log?.warn({ err: error, computer: id }, 'cannot remount lxcfs in a computer')
      }
    })
  }

  #report(): void {
    this.#options.helpers.report(
      'lxcfs',
      this.#isHealthy ? undefined : 'computers see the memory and processors of the host',
    )
  }
}

/** A healthy lxcfs answers within milliseconds. */
const lateMs = 1000
const maxConcurrent = 4
