import { setTimeout as delay } from 'node:timers/promises'
import { summarize, type Summary } from './statistics.ts'

/** Measures once, or several times in a row, and returns a value for each. */
type Side = () => Promise<number | number[]>

/** Time for the background work of one side to finish before the turn of the other. */
const settleMs = 60

interface Options {
  rounds: number
  /** Rounds that do not count, for caches and compilers to warm up. */
  warmUp?: number
  /** Runs before each turn and is not measured. */
  before?: () => Promise<void>
}

/**
 * Measures several sides in turn, A B A B, so that the host's drift affects all of them. Undefined sides are left out.
 * The host rests briefly before each turn.
 */
export async function interleave<Sides extends Record<string, Side | undefined>>(
  sides: Sides,
  { rounds, warmUp = 3, before }: Options,
): Promise<{ [Name in keyof Sides]: Sides[Name] extends Side ? Summary : Summary | undefined }> {
  const series = Object.entries(sides).flatMap(([name, side]) => (side ? [{ name, side, values: [] as number[] }] : []))
  for (let round = -warmUp; round < rounds; round++) {
    for (const { side, values } of series) {
      await before?.()
      await delay(settleMs)
      const value = await side()
      if (round >= 0) values.push(...[value].flat())
    }
  }
  const summaries = series.map(({ name, values }) => [name, summarize(values)])
  return Object.fromEntries(summaries) as Awaited<ReturnType<typeof interleave<Sides>>>
}

/** Measures a number of times in a row. */
export async function inARow(count: number, side: () => Promise<number>): Promise<number[]> {
  const values: number[] = []
  for (let left = count; left > 0; left--) values.push(await side())
  return values
}

/** Returns the milliseconds that the work takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}
