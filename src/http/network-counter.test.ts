import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../config/limits.ts'
import { NetworkCounter } from './network-counter.ts'

test('many networks of one /48 together may make no more requests than a few networks', () => {
  const counter = new NetworkCounter(5)
  const all = Array.from({ length: 200 }, (_, nth) => counter.count(`2001:db8:1:${nth.toString(16)}`, 0))
  assert.equal(all.filter(({ isOver }) => !isOver).length, 5 * limits.sitePrefixFactor)
  assert.deepEqual([all.at(-1)!.limit, all.at(-1)!.remaining], [5 * limits.sitePrefixFactor, 0])
  assert.equal(counter.count('2001:db8:2:0', 0).isOver, false)
  assert.equal(counter.count('192.0.2.1', 0).isOver, false)
})

test('one network over its limit leaves the other networks of its /48 their share', () => {
  const counter = new NetworkCounter(5)
  const all = Array.from({ length: 200 }, () => counter.count('2001:db8:1:1', 0))
  assert.equal(all.filter(({ isOver }) => !isOver).length, 5)
  const other = Array.from({ length: 6 }, () => counter.count('2001:db8:1:2', 0))
  assert.deepEqual(
    other.map(({ isOver }) => isOver),
    [false, false, false, false, false, true],
  )
})

test('to foresee a count counts nothing, and says what the next one will', () => {
  const counter = new NetworkCounter(2)
  for (const network of ['192.0.2.1', '2001:db8:1:1'])
    for (const now of [0, 1, 2, 90_000]) {
      const [first, second] = [counter.foresee(network, now), counter.foresee(network, now)]
      assert.deepEqual([first, second], [counter.count(network, now), first])
    }
})
