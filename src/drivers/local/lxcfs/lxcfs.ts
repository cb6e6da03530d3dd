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

/** What a computer that is started takes its view of `/proc` from. */
export interface LxcfsView {
  folder: string
  /** Another one for each lxcfs: a computer that has that of an earlier one has to get this one. */
  generation: number
}

/** By the host process id of its first process. */
export interface RunningComputer {
  id: string
  pid: number
}

/**
 * The lxcfs of this data directory. It outlives the server and is looked at while the server runs: one that was killed,
 * or that answers no more, is ended and replaced. Nobody has to wait for a sick one: it is ended, and computers that are
 * started meanwhile see the host until the next one is there.
 */
export class Lxcfs {
  readonly #options: Options
  readonly #program: string
  #generation = 0
  #isFine = false
  #looking: Promise<boolean> | undefined
  #lookingSinceMs = 0
  #failures = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false
  #running: () => RunningComputer[] = () => []
  /** Computers that began without it, or with an earlier one. */
  readonly #owed = new Set<string>()

  /** undefined where the host has none. */
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

  /** undefined while there is none that answers, or that has not answered for a moment. */
  get view(): LxcfsView | undefined {
    const isLate = this.#looking !== undefined && Date.now() - this.#lookingSinceMs > lateMs
    if (!this.#isFine || isLate) return undefined
    return { folder: this.#options.paths.lxcfs, generation: this.#generation }
  }

  /** Gives it to those of the computers that lost theirs, and looks every few seconds from now on. */
  async watch(running: () => RunningComputer[]): Promise<void> {
    this.#running = running
    if (this.view) await this.#renew(running())
    this.#next()
  }

  /** A computer was started with a view, or without one: it gets the one that there is, or will be. */
  started(id: string, view: LxcfsView | undefined): void {
    if (view?.generation !== this.#generation) this.#owed.add(id)
  }

  /** Looks now, and replaces it when it does not answer; whether there is one that does in the end. */
  check(): Promise<boolean> {
    if (!this.#looking) {
      this.#lookingSinceMs = Date.now()
      this.#looking = this.#look().finally(() => {
        this.#looking = undefined
      })
    }
    return this.#looking
  }

  /** Looks no more; it goes on. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #next(): void {
    if (this.#closed) return
    const waitMs = Math.min(limits.lxcfsCheckMs * 2 ** this.#failures, limits.lxcfsRetryMs)
    this.#timer = setTimeout(() => void this.check().finally(() => this.#next()), waitMs).unref()
  }

  async #look(): Promise<boolean> {
    const { paths, log } = this.#options
    try {
      if (await answers(paths.lxcfs, limits.lxcfsAnswerMs)) return this.#found(true)
      if (this.#closed) return false
      if (this.#generation > 0 && this.#failures === 0)
        log?.warn({}, 'lxcfs was killed or does not answer: it is replaced')
      this.#isFine = false
      this.#report()
      await endLxcfs(paths)
      return this.#found(await startLxcfs(this.#program, paths))
    } catch (error) {
      log?.warn({ err: error }, 'cannot replace lxcfs; will try again')
      return this.#found(false)
    }
  }

  #found(isFine: boolean): boolean {
    const isAnother = isFine && !this.#isFine
    this.#isFine = isFine
    this.#failures = isFine ? 0 : this.#failures + 1
    this.#report()
    if (isAnother) this.#generation++
    if (isFine) void this.#renew(this.#running().filter(({ id }) => isAnother || this.#owed.has(id)))
    if (isFine) this.#owed.clear()
    return isFine
  }

  async #renew(computers: RunningComputer[]): Promise<void> {
    const { log, paths } = this.#options
    await mapWithLimit(computers, renewedAtOnce, async ({ id, pid }) => {
      try {
        if (await renewLxcfs(paths.lxcfs, pid)) log?.info({ computer: id }, 'mounted lxcfs anew in a computer')
      } catch (error) {
        log?.warn({ err: error, computer: id }, 'cannot mount lxcfs anew in a computer')
      }
    })
  }

  #report(): void {
    this.#options.helpers.report(
      'lxcfs',
      this.#isFine ? undefined : 'computers see the memory and processors of the host',
    )
  }
}

/** An answer takes milliseconds. */
const lateMs = 1000
const renewedAtOnce = 4
