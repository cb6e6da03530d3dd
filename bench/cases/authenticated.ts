import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BenchCase } from '../support/case.ts'
import { Flood } from '../support/flood.ts'
import { interleave } from '../support/interleave.ts'
import { ratio } from '../support/measurement.ts'
import { benchData, benchEnv } from '../support/settings.ts'

const worker = fileURLToPath(new URL('../support/no-op-worker.ts', import.meta.url))
const concurrency = 16
const requests = 4000

/** The cost of a token: the same route, which does nothing, with and without a token. */
export const authenticated: BenchCase = {
  name: 'authenticated',
  about: 'a request that does nothing, with and without a token',
  async run({ quick }) {
    mkdirSync(benchData, { recursive: true })
    const folder = mkdtempSync(join(benchData, 'no-op-'))
    const args = (process.env.CARREL_BENCH_NODE_OPTIONS ?? '').split(' ').filter(Boolean)
    const server = spawn(process.execPath, [...args, worker, folder], {
      env: { ...benchEnv, CARREL_READS_PER_MINUTE: '100000000' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      const [line] = (await once(server.stdout, 'data')) as [Buffer]
      const { port, ...tokens } = JSON.parse(line.toString()) as Record<'session' | 'access' | 'shared', string> & {
        port: number
      }
      const floods = {
        open: await Flood.open(port, '/open', concurrency),
        session: await Flood.open(port, '/closed', concurrency, tokens.session),
        access: await Flood.open(port, '/closed', concurrency, tokens.access),
        shared: await Flood.open(port, '/closed', concurrency, tokens.shared),
      }
      const { open, session, access, shared } = await interleave(
        {
          open: () => floods.open.run(requests),
          session: () => floods.session.run(requests),
          access: () => floods.access.run(requests),
          shared: () => floods.shared.run(requests),
        },
        { rounds: quick ? 4 : 30 },
      )
      for (const flood of Object.values(floods)) flood.close()
      const sides = {
        'session token': session,
        'access token (JWT)': access,
        'session token in another workspace': shared,
      }
      return Object.entries(sides).map(([name, values]) => ({
        work: `nothing, with a ${name}`,
        unit: '1/s' as const,
        carrel: values,
        against: { name: 'without', values: open },
        result: ratio(values, open),
        goal: { is: 'at least' as const, value: 0.8, of: 'without' },
      }))
    } finally {
      server.kill('SIGTERM')
      await once(server, 'exit')
      rmSync(folder, { recursive: true })
    }
  },
}
