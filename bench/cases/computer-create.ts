import { BareRuntime } from '../bare/bare-runtime.ts'
import { againstBare } from '../support/against-bare.ts'
import type { BenchCase } from '../support/case.ts'
import { createComputer, deleteComputer } from '../support/computers.ts'
import { interleave, timed } from '../support/interleave.ts'
import { BenchServer } from '../support/server.ts'

const networkPool = 4

/** A computer that lasts, from the request that creates it until the API tells that it runs. */
export const computerCreate: BenchCase = {
  name: 'computer-create',
  about: 'POST /v1/computers, until the computer runs',
  async run({ quick }) {
    await using server = await BenchServer.start({
      CARREL_WARM_COMPUTERS: '0',
      CARREL_NETWORK_POOL: String(networkPool),
      CARREL_MEMORY_OVERCOMMIT: '100',
      CARREL_DISK_OVERCOMMIT: '100',
    })
    await using runtime = await BareRuntime.open()
    let created = ''
    const { carrel, bare } = await interleave(
      {
        carrel: () => timed(async () => (created = await createComputer(server))),
        bare: () => runtime.run(),
      },
      {
        rounds: quick ? 8 : 60,
        before: async () => {
          if (created !== '') await deleteComputer(server, created)
          created = ''
          await server.poolFull('networks', networkPool)
        },
      },
    )
    return [againstBare({ work: 'create, until it runs', carrel, bare, name: 'crun run', maxRatio: 3 })]
  },
}
