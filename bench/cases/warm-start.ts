import { BareRuntime } from '../bare/bare-runtime.ts'
import { againstBare } from '../support/against-bare.ts'
import type { BenchCase } from '../support/case.ts'
import { interleave } from '../support/interleave.ts'
import { BenchServer } from '../support/server.ts'

const warmComputers = 8
const networkPool = 4

/** The first command of a new sandbox from the warm pool. The pools are full before each measurement. */
export const warmStart: BenchCase = {
  name: 'warm-start',
  about: 'first POST /execute of a new sandbox, from the warm pool',
  async run({ quick }) {
    await using server = await BenchServer.start({
      CARREL_WARM_COMPUTERS: String(warmComputers),
      CARREL_NETWORK_POOL: String(networkPool),
    })
    await using runtime = await BareRuntime.open()
    const measured = await interleave(
      { carrel: () => server.execute(server.newSession()), bare: () => runtime.exec() },
      {
        rounds: quick ? 8 : 80,
        before: async () => {
          await server.poolFull('computers', warmComputers)
          await server.poolFull('networks', networkPool)
        },
      },
    )
    const { carrel, bare } = measured
    return [againstBare({ work: 'first execute, warm pool', carrel, bare, name: 'crun exec', maxRatio: 1.5 })]
  },
}
