import { BareRuntime } from '../bare/bare-runtime.ts'
import { againstBare } from '../support/against-bare.ts'
import { againstDocker } from '../support/against-docker.ts'
import type { BenchCase } from '../support/case.ts'
import { Docker } from '../support/docker.ts'
import { inARow, interleave } from '../support/interleave.ts'
import { BenchServer } from '../support/server.ts'

const row = 10

/** Commands on a running computer, in rows that alternate with those of the other sides. */
export const execute: BenchCase = {
  name: 'execute',
  about: 'POST /execute on a running computer',
  async run({ quick }) {
    await using server = await BenchServer.start({ CARREL_WARM_COMPUTERS: '0' })
    await using bare = await BareRuntime.open()
    using docker = Docker.open()
    const session = server.newSession()
    const measured = await interleave(
      {
        carrel: () => inARow(row, () => server.execute(session)),
        bare: () => inARow(row, () => bare.exec()),
        docker: docker && (() => inARow(row, () => docker.exec())),
      },
      { rounds: quick ? 4 : 40, warmUp: 2 },
    )
    const work = 'execute, computer running'
    const { carrel } = measured
    return [
      againstBare({ work, carrel, bare: measured.bare, name: 'crun exec', maxRatio: 1.5 }),
      againstDocker({ work, carrel, docker: measured.docker, name: 'docker exec', minRatio: 8 }),
    ]
  },
}
