import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnattendedWork } from './unattended-work.ts'

/**
 * What each of these stretches, of milliseconds and of microseconds of a processor, costs together, once what is saved
 * up is used.
 */
function cost(stretches: Iterable<readonly [number, number]>): number {
  const work = new UnattendedWork()
  let sum = work.costMs(0, 100_000)
  for (const [passedMs, cpuMicros] of stretches) sum += work.costMs(passedMs, cpuMicros)
  return Math.round(sum)
}

const repeated = (times: number, ...stretches: [number, number][]) =>
  Array.from({ length: times }, () => stretches).flat()

test('a kernel that waits costs nothing, however long it does and however seldom somebody looks', () => {
  assert.equal(cost(repeated(3600, [1000, 1700])), 0)
  assert.equal(cost([[3_600_000, 6_120_000]]), 0)
  assert.equal(cost(repeated(1000, [500, 0], [500, 1300])), 0)
})

test('a thread that works costs every second, in whatever pieces it is seen', () => {
  assert.equal(cost(repeated(10, [1000, 1_000_000])), 10_000)
  assert.equal(cost([[10_000, 10_000_000]]), 10_000)
  assert.ok(cost(repeated(2000, [5, 5000])) > 9_900)
  assert.equal(cost(repeated(10, [1000, 2_000_000])), 10_000)
})

test('work in every other second, or a little in each, costs by how much it is', () => {
  assert.equal(cost(repeated(5, [1000, 1_000_000], [1000, 0])), 5000)
  assert.equal(cost(repeated(10, [1000, 30_000])), 10_000)
  const little = cost(repeated(10, [1000, 12_000]))
  assert.ok(little >= 5000 && little < 5500, `${little} ms`)
})

test('a moment of work in a long time costs no more than a second beyond it', () => {
  assert.equal(cost([[60_000, 400_000]]), 1100)
  assert.equal(cost([...repeated(60, [1000, 0] as [number, number]), [1000, 300_000]]), 1000)
})

test('what a kernel clears up after a call now and then is saved up for', () => {
  const work = new UnattendedWork()
  for (let call = 0; call < 10; call++) {
    assert.equal(work.costMs(1000, 65_000), 0)
    for (let count = 0; count < 20; count++) assert.equal(work.costMs(1000, 0), 0)
  }
  // No more than that: somebody who waits for long has not the more.
  work.costMs(3_600_000, 0)
  assert.equal(work.costMs(1000, 400_000), 1000)
})
