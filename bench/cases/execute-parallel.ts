import { BareRuntime } from '../bare/bare-runtime.ts'
import type { BenchCase } from '../support/case.ts'
import { interleave, timed } from '../support/interleave.ts'
import { ratio } from '../support/measurement.ts'
import { BenchServer } from '../support/server.ts'

const concurrency = 16
const total = 160

/** Commands on one computer, 16 of them running at any time, compared with the runtime under `xargs -P16`. */
export const executeParallel: BenchCase = {
  name: 'execute-parallel',
  about: `POST /execute, ${concurrency} at once, throughput`,
  async run({ quick }) {
    await using server = await BenchServer.start({ CARREL_WARM_COMPUTERS: '0' })
    await using bare = await BareRuntime.open()
    const session = server.newSession()
    const perSecond = (ms: number) => (total * 1000) / ms
    const measured = await interleave(
      {
        carrel: async () => perSecond(await timed(() => executeMany(server, session))),
        bare: async () => perSecond(await bare.execMany(total, concurrency)),
      },
      { rounds: quick ? 3 : 15, warmUp: 2 },
    )
    return [
      {
        work: `execute, ${concurrency} at once`,
        unit: '1/s',
        carrel: measured.carrel,
        against: { name: `crun exec by xargs -P${concurrency}`, values: measured.bare },
        result: ratio(measured.carrel, measured.bare),
        goal: { is: 'at least', value: 0.7, of: 'of crun exec in parallel' },
      },
    ]
  },
}

async function executeMany(server: BenchServer, session: string): Promise<void> {
  let left = total
  const one = async () => {
    while (left-- > 0) await server.execute(session)
  }
  await Promise.all(Array.from({ length: concurrency }, one))
}
