import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { BenchCase } from '../support/case.ts'
import { benchEnv } from '../support/settings.ts'
import { summarize } from '../support/statistics.ts'

const worker = fileURLToPath(new URL('../support/snapshot-worker.ts', import.meta.url))
const sizes = { none: 0, small: 256, large: 1024 } as const

/** What is measured, with 1 GiB written, and the maximum in milliseconds. */
const kinds = {
  pause: { work: 'pause of programs, 1 GiB written just before', maxMs: 50 },
  clean: { work: 'snapshot, 1 GiB written and on disk', maxMs: 100 },
  fork: { work: 'fork with 1 GiB, until it runs', maxMs: 100 },
  resize: { work: 'resize of a running computer', maxMs: 50 },
} as const

type Times = Record<keyof typeof kinds, number>

/** Snapshots of a running computer that has written much or little, by the driver alone. */
export const snapshot: BenchCase = {
  name: 'snapshot',
  about: 'snapshot, fork and resize of a computer with 1 GiB written',
  async run({ quick }) {
    const args = [worker, quick ? '2' : '7', ...Object.values(sizes).map(String)]
    const { stdout } = await promisify(execFile)(process.execPath, args, { env: benchEnv })
    const results = JSON.parse(stdout) as Record<string, Times[]>
    return Object.entries(kinds).map(([kind, { work, maxMs }]) => {
      const of = (size: number) => summarize(results[size]!.map((times) => times[kind as keyof Times]))
      const carrel = of(sizes.large)
      return {
        work,
        unit: 'ms' as const,
        carrel,
        against: { name: 'with nothing written', values: of(sizes.none) },
        result: carrel.median,
        goal: { is: 'at most' as const, value: maxMs, of: 'ms' },
        note: `with ${sizes.small} MiB: ${of(sizes.small).median.toFixed(1)} ms`,
      }
    })
  },
}
