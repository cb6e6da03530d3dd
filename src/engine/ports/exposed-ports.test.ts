import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExposedPorts } from './exposed-ports.ts'

test('a port that was found is known until its computer changes', async () => {
  const ports = new ExposedPorts()
  await ports.remember('a', 80, async () => {})
  await ports.remember('b', 80, async () => {})
  assert.deepEqual([ports.has('a', 80), ports.has('a', 81), ports.has('b', 80)], [true, false, true])
  ports.forget('a')
  assert.deepEqual([ports.has('a', 80), ports.has('b', 80)], [false, true])
})

test('a port that was not found is not known', async () => {
  const ports = new ExposedPorts()
  await assert.rejects(
    ports.remember('a', 80, () => Promise.reject(new Error('no'))),
    /no/,
  )
  assert.equal(ports.has('a', 80), false)
})

test('what was found before a change is not known after it', async () => {
  const ports = new ExposedPorts()
  const { promise, resolve } = Promise.withResolvers<void>()
  const remembered = ports.remember('a', 80, () => promise)
  ports.forget('a')
  resolve()
  await remembered
  assert.equal(ports.has('a', 80), false)
})
