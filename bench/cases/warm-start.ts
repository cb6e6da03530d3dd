import { BareRuntime } from '../bare/bare-runtime.ts'
import type { BenchCase } from '../support/case.ts'
import { interleave } from '../support/interleave.ts'
import { ratio } from '../support/measurement.ts'
import { BenchServer } from '../support/server.ts'

const warmComputers = 8
const networkPool = 4

/** The same while computers wait that run already. The pools are full before each. */
export const warmStart: BenchCase = {
  name: 'warm-start',
  about: 'first POST /execute of a new sandbox, from the warm pool',
  async run({ quick }) {
    await using server = await BenchServer.start({
      CARREL_WARM_COMPUTERS: String(warmComputers),
      CARREL_NETWORK_POOL: String(networkPool),
    })
    await using bare = await BareRuntime.open()
    const measured = await interleave(
      { carrel: () => server.execute(server.newSession()), bare: () => bare.exec() },
      {
        rounds: quick ? 8 : 80,
        before: async () => {
          await server.poolFull('computers', warmComputers)
          await server.poolFull('networks', networkPool)
        },
      },
    )
    return [
      {
        work: 'first execute, warm pool',
        unit: 'ms',
        carrel: measured.carrel,
        against: { name: 'crun exec', values: measured.bare },
        result: ratio(measured.carrel, measured.bare),
        goal: { is: 'at most', value: 1.5, of: '× crun exec' },
      },
    ]
  },
}
