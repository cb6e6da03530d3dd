import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { BenchCase } from '../support/case.ts'
import { benchEnv } from '../support/settings.ts'
import { summarize } from '../support/statistics.ts'

const worker = fileURLToPath(new URL('../support/snapshot-worker.ts', import.meta.url))
const sizes = { small: 100, large: 1024 } as const
const maxMs = 100

const kinds = {
  clean: 'snapshot, 1 GiB written and on disk',
  dirty: 'snapshot, 1 GiB written just before',
  fork: 'fork with 1 GiB, until it runs',
} as const

type Times = Record<keyof typeof kinds, number>

/** Snapshots of a running computer that has written much or little, by the driver alone. */
export const snapshot: BenchCase = {
  name: 'snapshot',
  about: 'snapshot and fork of a computer with 1 GiB written',
  async run({ quick }) {
    const args = [worker, quick ? '2' : '7', String(sizes.small), String(sizes.large)]
    const { stdout } = await promisify(execFile)(process.execPath, args, { env: benchEnv })
    const results = JSON.parse(stdout) as Record<string, Times[]>
    return Object.entries(kinds).map(([kind, work]) => {
      const of = (size: number) => summarize(results[size]!.map((times) => times[kind as keyof Times]))
      const carrel = of(sizes.large)
      return {
        work,
        unit: 'ms' as const,
        carrel,
        against: { name: `with ${sizes.small} MiB`, values: of(sizes.small) },
        result: carrel.median,
        goal: { is: 'at most' as const, value: maxMs, of: 'ms' },
      }
    })
  },
}
