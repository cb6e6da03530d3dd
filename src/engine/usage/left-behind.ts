import type { Engine } from '../engine.ts'

interface Look {
  hadPrograms: boolean
  cpuMicros: number
}

/**
 * What a command leaves behind in a sandbox, such as a server with `setsid`, runs without being a process of ours. It costs as one
 * does: the time between two looks in which nothing else cost is charged when it was there at both. Less than that is let go.
 */
export class LeftBehind {
  #looks = new Map<string, Look>()

  /** Gives the accounts that have any. */
  async look(engine: Engine): Promise<string[]> {
    const accounts = new Set<string>()
    const looks = new Map<string, Look>()
    const withKernel = computersWithKernel(engine)
    for (const { computerId, accountId, freeMs, wasUsed, isUsed } of engine.meter.takeFree()) {
      const stats = await engine.driver.stats(computerId).catch(() => undefined)
      if (!stats) continue
      const { pids, cpuMicros } = stats
      const before = this.#looks.get(computerId)
      const cpuMs = (cpuMicros - (before?.cpuMicros ?? cpuMicros)) / 1000
      // A kernel waits most of its time, and that is free: what is beside it shows by what it uses while nothing else does. What
      // is beside a process of ours cannot be told from it, and is paid with it.
      const hasPrograms = withKernel.has(computerId) ? !wasUsed && cpuMs > freeMs * leastShare : !isUsed && pids > 1
      looks.set(computerId, { hadPrograms: hasPrograms, cpuMicros })
      if (!hasPrograms || !before?.hadPrograms) continue
      engine.meter.add(computerId, freeMs)
      accounts.add(accountId)
    }
    this.#looks = looks
    return [...accounts]
  }
}

function computersWithKernel({ driver }: Engine): Set<string> {
  const kernels = driver.processes().filter(({ exit, meta }) => !exit && meta.kind === 'kernel')
  return new Set(kernels.map(({ computerId }) => computerId))
}

/** Of a core: more than a kernel's heartbeat. */
const leastShare = 0.02
