import { availableParallelism } from 'node:os'
import { BareRuntime } from '../bare/bare-runtime.ts'
import { againstBare } from '../support/against-bare.ts'
import type { BenchCase } from '../support/case.ts'
import { inARow, interleave, timed } from '../support/interleave.ts'
import type { Outcome } from '../support/measurement.ts'
import { BenchServer } from '../support/server.ts'
import { addBenchSample, createSession, runInSession } from '../support/sessions.ts'
import { command } from '../support/settings.ts'
import { summarize, type Summary } from '../support/statistics.ts'

const networkPool = 8
const burst = 100
const row = 10

/** Sessions on a sample whose image is there: until they are ready, many at once, and commands in one of them. */
export const sessions: BenchCase = {
  name: 'sessions',
  about: 'POST /sessions until it is ready, a burst of them, and exec until the interaction is complete',
  async run({ quick }) {
    await using server = await BenchServer.start({
      CARREL_WARM_COMPUTERS: '0',
      CARREL_NETWORK_POOL: String(networkPool),
    })
    await using runtime = await BareRuntime.open()
    const sample = await addBenchSample(server)
    let created = ''
    const close = async (path: string) => void (await server.request('DELETE', path))
    const { carrel, bare } = await interleave(
      {
        carrel: () => timed(async () => (created = await createSession(server, sample))),
        bare: () => runtime.run(),
      },
      {
        rounds: quick ? 8 : 60,
        before: async () => {
          if (created !== '') await close(created)
          created = ''
          await server.poolFull('networks', networkPool)
        },
      },
    )
    const path = created === '' ? await createSession(server, sample) : created
    const exec = async () => {
      const stdout = await runInSession(server, path, command.code)
      if (stdout !== command.stdout) throw new Error(`the command printed ${JSON.stringify(stdout)}`)
    }
    const measured = await interleave(
      { exec: () => inARow(row, () => timed(exec)), bare: () => inARow(row, () => runtime.exec()) },
      { rounds: quick ? 4 : 40, warmUp: 2 },
    )
    return [
      againstBare({ work: 'create, until it is ready', carrel, bare, name: 'crun run', maxRatio: 2 }),
      await burstOf(server, sample, carrel),
      againstBare({
        work: 'exec, until the interaction is complete',
        carrel: measured.exec,
        bare: measured.bare,
        name: 'crun exec',
        maxRatio: 1.5,
      }),
    ]
  },
}

async function burstOf(server: BenchServer, sample: object, alone: Summary): Promise<Outcome> {
  await server.poolFull('networks', networkPool)
  const many: number[] = []
  const paths: string[] = []
  const lastMs = await timed(async () => {
    const asked = Array.from({ length: burst }, async () =>
      many.push(await timed(async () => paths.push(await createSession(server, sample)))),
    )
    await Promise.all(asked)
  })
  for (const path of paths) await server.request('DELETE', path)
  const carrel = summarize(many)
  const cores = availableParallelism()
  return {
    work: `${burst} sessions at once`,
    unit: 'ms',
    carrel,
    against: { name: 'one alone', values: alone },
    result: carrel.median / ((burst * alone.median) / cores),
    goal: { is: 'at most', value: 1, of: `× ${burst} × one alone / ${cores} cores` },
    note: `none failed; all were ready after ${(lastMs / 1000).toFixed(1)} s`,
  }
}
