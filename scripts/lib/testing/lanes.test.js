import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testLanes } from './lanes.js'

const env = { CARREL_DATA: '/data', CARREL_NETWORK: '10.250' }

test('each lane has a data directory and a network of its own, the first those of the environment', () => {
  const lanes = testLanes({ ...env, CARREL_TEST_LANES: '3' })
  assert.deepEqual(
    lanes.map((lane) => [lane.env.CARREL_DATA, lane.env.CARREL_NETWORK]),
    [
      ['/data', '10.250'],
      ['/data-2', '10.3'],
      ['/data-3', '10.12'],
    ],
  )
})

test('a number of lanes that makes no sense is refused', () => {
  for (const lanes of ['0', '9', '1.5', 'x'])
    assert.throws(() => testLanes({ ...env, CARREL_TEST_LANES: lanes }), { message: /^CARREL_TEST_LANES is / })
  assert.throws(() => testLanes({ CARREL_NETWORK: '192.168', CARREL_TEST_LANES: '2' }), { message: /"192.168"/ })
})
