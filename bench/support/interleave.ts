import { setTimeout as delay } from 'node:timers/promises'
import { summarize, type Summary } from './statistics.ts'

/** Does it once, or some times in a row, and gives a value for each. */
type Side = () => Promise<number | number[]>

/** What one side leaves to do in the background is done before the other's turn. */
const settleMs = 60

interface Options {
  rounds: number
  /** Rounds before those that count, for caches and compilers. */
  warmUp?: number
  /** Done before each turn, outside its time. */
  before?: () => Promise<void>
}

/**
 * Measures several things in turn, A B A B, so that the host's drift is in all of them. One that is undefined is left
 * out. Before each turn the host gets a moment of rest.
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

/** The same so many times, one right after the other. */
export async function inARow(count: number, side: () => Promise<number>): Promise<number[]> {
  const values: number[] = []
  for (let left = count; left > 0; left--) values.push(await side())
  return values
}

/** Milliseconds that the work takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}
