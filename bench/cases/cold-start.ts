import { BareRuntime } from '../bare/bare-runtime.ts'
import { againstBare } from '../support/against-bare.ts'
import { againstDocker } from '../support/against-docker.ts'
import type { BenchCase } from '../support/case.ts'
import { Docker } from '../support/docker.ts'
import { interleave } from '../support/interleave.ts'
import { BenchServer } from '../support/server.ts'

const networkPool = 4

/** A new sandbox: created, started, and its first command answered. */
export const coldStart: BenchCase = {
  name: 'cold-start',
  about: 'first POST /execute of a new sandbox, no warm computers',
  async run({ quick }) {
    await using server = await BenchServer.start({
      CARREL_WARM_COMPUTERS: '0',
      CARREL_NETWORK_POOL: String(networkPool),
    })
    await using bare = await BareRuntime.open()
    using docker = Docker.open()
    const measured = await interleave(
      {
        carrel: () => server.execute(server.newSession()),
        bare: () => bare.run(),
        docker: docker && (() => docker.run()),
      },
      { rounds: quick ? 8 : 80, before: () => server.poolFull('networks', networkPool) },
    )
    const work = 'first execute, no warm pool'
    const { carrel } = measured
    return [
      againstBare({ work, carrel, bare: measured.bare, name: 'crun run', maxRatio: 3 }),
      againstDocker({ work, carrel, docker: measured.docker, name: 'docker run', minRatio: 10 }),
    ]
  },
}
