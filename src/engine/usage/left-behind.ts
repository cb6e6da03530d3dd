import { setImmediate as turn } from 'node:timers/promises'
import type { Engine } from '../engine.ts'

/** What a computer with a kernel used since it was last judged. */
interface KernelUse {
  cpuMicros: number
  freeMs: number
  usedMs: number
  /** Whether it was busy when it was last judged. */
  wasBusy: boolean
}

/**
 * What a command or a kernel leaves behind in a sandbox, such as a server with `setsid`, runs without being a process of ours. It costs
 * as one does: from its begin, up to the last look at which it is there. Time in which something of ours cost is paid with that.
 *
 * A kernel waits most of its time, and that is free: a thread of it that works on shows by the processor time that it uses.
 */
export class LeftBehind {
  readonly #kernels = new Map<string, KernelUse>()

  /** Counts what is found, in all computers or in an account's. One in which nothing can be is not looked at. */
  async look(engine: Engine, accountId?: string): Promise<void> {
    const { withKernel, withOther } = runningIn(engine)
    if (accountId === undefined)
      for (const id of this.#kernels.keys()) if (!withKernel.has(id)) this.#kernels.delete(id)
    let looks = 0
    for (const computer of engine.meter.unseenComputers()) {
      if (accountId !== undefined && computer.accountId !== accountId) continue
      const { computerId } = computer
      if (withOther.has(computerId)) continue
      await this.#lookAt(engine, computerId, withKernel.has(computerId))
      if (++looks % looksAtOnce === 0) await turn()
    }
  }

  async #lookAt(engine: Engine, computerId: string, hasKernel: boolean): Promise<void> {
    const { driver, meter } = engine
    const free = meter.takeFree(computerId)
    if (!free) return
    // In the same turn of the event loop: nothing is begun in between.
    const ranMs = await driver.leftBehindMs(computerId).catch(() => undefined)
    const hadPrograms = meter.found(computerId) === 'programs'
    if (ranMs !== undefined) {
      // What is there now may be a child of what was there then.
      meter.add(computerId, hadPrograms ? free.freeMs : Math.min(free.freeMs, ranMs))
      this.#kernels.delete(computerId)
    } else if (hasKernel) await this.#judgeKernel(engine, computerId, free)
    meter.saw(computerId, ranMs !== undefined ? 'programs' : hasKernel ? 'kernel' : 'nothing')
  }

  /** Busy twice in a row is what costs: once may be its start. */
  async #judgeKernel(engine: Engine, computerId: string, free: { freeMs: number; usedMs: number }): Promise<void> {
    const cpuMicros = await engine.driver.cpuMicros(computerId).catch(() => 0)
    const before = this.#kernels.get(computerId)
    if (!before) return void this.#kernels.set(computerId, { cpuMicros, freeMs: 0, usedMs: 0, wasBusy: false })
    before.freeMs += free.freeMs
    before.usedMs += free.usedMs
    if (before.freeMs < leastJudgedMs) return
    const { freeMs, usedMs, wasBusy } = before
    // A call takes all processors at most.
    const cpuMs = (cpuMicros - before.cpuMicros) / 1000 - usedMs * engine.settings.computerCpus
    const isBusy = cpuMs > freeMs * leastShare
    if (isBusy && wasBusy) engine.meter.add(computerId, freeMs)
    this.#kernels.set(computerId, { cpuMicros, freeMs: 0, usedMs: 0, wasBusy: isBusy })
  }
}

function runningIn({ driver }: Engine): { withKernel: Set<string>; withOther: Set<string> } {
  const withKernel = new Set<string>()
  const withOther = new Set<string>()
  for (const { computerId, exit, meta } of driver.processes())
    if (!exit) (meta.kind === 'kernel' ? withKernel : withOther).add(computerId)
  return { withKernel, withOther }
}

/** Of a core: more than a kernel's heartbeat. */
const leastShare = 0.02
/** In less than this what a call left to do, such as to clear up, counts for too much. */
const leastJudgedMs = 1000
/** Some 30 microseconds each: requests do not wait for long. */
const looksAtOnce = 32
