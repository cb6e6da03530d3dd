import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnattendedWork } from './unattended-work.ts'

/** Returns what spans, of milliseconds and of processor microseconds, cost together once the allowance is used up. */
function cost(spans: Iterable<readonly [number, number]>): number {
  const work = new UnattendedWork()
  let sum = work.costMs(0, 100_000)
  for (const [passedMs, cpuMicros] of spans) sum += work.costMs(passedMs, cpuMicros)
  return Math.round(sum)
}

const repeated = (times: number, ...spans: [number, number][]) => Array.from({ length: times }, () => spans).flat()

test('an idle kernel costs nothing, for however long and however seldom it is checked', () => {
  assert.equal(cost(repeated(3600, [1000, 1700])), 0)
  assert.equal(cost([[3_600_000, 6_120_000]]), 0)
  assert.equal(cost(repeated(1000, [500, 0], [500, 1300])), 0)
})

test('a busy thread costs every second, in whatever spans it is checked', () => {
  assert.equal(cost(repeated(10, [1000, 1_000_000])), 10_000)
  assert.equal(cost([[10_000, 10_000_000]]), 10_000)
  assert.ok(cost(repeated(2000, [5, 5000])) > 9_900)
  assert.equal(cost(repeated(10, [1000, 2_000_000])), 10_000)
})

test('work in every other second, or a little in each second, costs in proportion', () => {
  assert.equal(cost(repeated(5, [1000, 1_000_000], [1000, 0])), 5000)
  assert.equal(cost(repeated(10, [1000, 30_000])), 10_000)
  const little = cost(repeated(10, [1000, 12_000]))
  assert.ok(little >= 5000 && little < 5500, `${little} ms`)
})

test('brief work in a long time costs at most a second more than its processor time', () => {
  assert.equal(cost([[60_000, 400_000]]), 1100)
  assert.equal(cost([...repeated(60, [1000, 0] as [number, number]), [1000, 300_000]]), 1000)
})

test('the allowance covers the garbage collection after occasional calls', () => {
  const work = new UnattendedWork()
  for (let call = 0; call < 10; call++) {
    assert.equal(work.costMs(1000, 65_000), 0)
    for (let count = 0; count < 20; count++) assert.equal(work.costMs(1000, 0), 0)
  }
  // The allowance has a limit: a longer wait does not increase it.
  work.costMs(3_600_000, 0)
  assert.equal(work.costMs(1000, 400_000), 1000)
})
