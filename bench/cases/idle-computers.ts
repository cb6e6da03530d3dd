import { setTimeout as delay } from 'node:timers/promises'
import { BareRuntime } from '../bare/bare-runtime.ts'
import type { BenchCase } from '../support/case.ts'
import { interleave } from '../support/interleave.ts'
import { availableBytes, firstProcesses, parentOf, proportionalBytes } from '../support/memory.ts'
import { BenchServer } from '../support/server.ts'
import { benchData } from '../support/settings.ts'

const networkPool = 4
const compared = 20
const settleMs = 3000
const MiB = 1024 * 1024

/** Many idle computers: the memory of each, and the time that they add to the next create. */
export const idleComputers: BenchCase = {
  name: 'idle-computers',
  about: 'memory of an idle computer, and the time of a create among many',
  async run({ computers, quick }) {
    await using server = await BenchServer.start({
      CARREL_WARM_COMPUTERS: '0',
      CARREL_NETWORK_POOL: String(networkPool),
    })
    await using bare = await BareRuntime.open()
    for (let count = 0; count < compared; count++) await server.execute(server.newSession())
    const first = await createSome(server, bare)
    const before = await takeStock(server)
    const added = Math.max(compared, (quick ? 60 : computers) - before.computers)
    for (let left = added; left > 0; left -= 4)
      await Promise.all(Array.from({ length: Math.min(4, left) }, () => server.execute(server.newSession())))
    const after = await takeStock(server)
    const last = await createSome(server, bare)
    const drift = last.bare.median / first.bare.median

    const perComputer = (growth: (stock: Stock) => number) => (growth(after) - growth(before)) / added / MiB
    const programs = perComputer(({ serverBytes, monitorBytes }) => serverBytes + monitorBytes)
    const own = perComputer(({ ownBytes }) => ownBytes)
    const host = -perComputer(({ available }) => available)
    const beyond = host - own
    return [
      {
        work: `memory of an idle computer, ${after.computers} of them`,
        unit: 'MiB',
        carrel: { count: added, median: beyond, p99: beyond },
        result: beyond,
        goal: { is: 'at most', value: 3, of: 'MiB beyond its own processes' },
        note: `the host used ${host.toFixed(2)} MiB for each: ${own.toFixed(2)} for its own processes, ${programs.toFixed(2)} for server and monitor, the rest for the kernel`,
      },
      {
        work: `first execute among ${after.computers} computers`,
        unit: 'ms',
        carrel: last.carrel,
        against: { name: `among ${compared}`, values: first.carrel },
        result: last.carrel.median / first.carrel.median / drift,
        goal: { is: 'at most', value: 1.5, of: '× the first' },
        note: `a bare crun exec took ${drift.toFixed(2)} × as long as at first; the ratio is corrected by that`,
      },
    ]
  },
}

interface Stock {
  computers: number
  available: number
  serverBytes: number
  monitorBytes: number
  ownBytes: number
}

async function takeStock(server: BenchServer): Promise<Stock> {
  await delay(settleMs)
  const pids = firstProcesses(benchData)
  return {
    computers: pids.length,
    available: availableBytes(),
    serverBytes: proportionalBytes(server.process.pid!),
    monitorBytes: proportionalBytes(parentOf(pids[0]!)),
    ownBytes: pids.reduce((sum, pid) => sum + proportionalBytes(pid), 0),
  }
}

/**
 * Creates sandboxes alternately with a bare command, which the computers do not affect, to separate the host's drift
 * from their effect.
 */
function createSome(server: BenchServer, bare: BareRuntime) {
  return interleave(
    { carrel: () => server.execute(server.newSession()), bare: () => bare.exec() },
    { rounds: compared, before: () => server.poolFull('networks', networkPool) },
  )
}
