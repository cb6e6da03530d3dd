import { availableParallelism } from 'node:os'
import type { BenchCase } from '../support/case.ts'
import { timed } from '../support/interleave.ts'
import { BenchServer } from '../support/server.ts'
import { summarize } from '../support/statistics.ts'

const burst = 100
const networkPool = 8

/** Many new sandboxes requested at the same moment, compared with a single one that is measured just before. */
export const burstOfCreates: BenchCase = {
  name: 'burst',
  about: `${burst} new sandboxes at once`,
  async run({ quick }) {
    await using server = await BenchServer.start({
      CARREL_WARM_COMPUTERS: '0',
      CARREL_NETWORK_POOL: String(networkPool),
    })
    const single: number[] = []
    const many: number[] = []
    let failed = 0
    let lastMs = 0
    for (let round = 0; round < (quick ? 1 : 3); round++) {
      for (let count = 0; count < 8; count++) {
        await server.poolFull('networks', networkPool)
        single.push(await server.execute(server.newSession()))
      }
      await server.poolFull('networks', networkPool)
      lastMs = await timed(async () => {
        const asked = Array.from({ length: burst }, () => server.execute(server.newSession()))
        for (const answer of await Promise.allSettled(asked)) {
          if (answer.status === 'fulfilled') many.push(answer.value)
          else failed++
        }
      })
    }
    if (failed > 0) throw new Error(`${failed} of the burst failed`)
    const carrel = summarize(many)
    const alone = summarize(single)
    const cores = availableParallelism()
    return [
      {
        work: `${burst} new sandboxes at once`,
        unit: 'ms',
        carrel,
        against: { name: 'one alone', values: alone },
        result: carrel.median / ((burst * alone.median) / cores),
        goal: { is: 'at most', value: 1, of: `× ${burst} × one alone / ${cores} cores` },
        note: `none failed; all were ready after ${(lastMs / 1000).toFixed(1)} s`,
      },
    ]
  },
}
