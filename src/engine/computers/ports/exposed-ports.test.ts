import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExposedPorts } from './exposed-ports.ts'

test('a port that was found is remembered until its computer changes', async () => {
  const ports = new ExposedPorts()
  await ports.remember('a', 80, async () => 'owner')
  await ports.remember('b', 80, async () => 'owner')
  assert.deepEqual(
    [ports.ownerOf('a', 80), ports.ownerOf('a', 81), ports.ownerOf('b', 80)],
    ['owner', undefined, 'owner'],
  )
  ports.forget('a')
  assert.deepEqual([ports.ownerOf('a', 80), ports.ownerOf('b', 80)], [undefined, 'owner'])
})

test('a port that was not found is not remembered', async () => {
  const ports = new ExposedPorts()
  await assert.rejects(
    ports.remember('a', 80, () => Promise.reject(new Error('no'))),
    /no/,
  )
  assert.equal(ports.ownerOf('a', 80), undefined)
})

test('a lookup that began before a change is not remembered', async () => {
  const ports = new ExposedPorts()
  const { promise, resolve } = Promise.withResolvers<string>()
  const remembered = ports.remember('a', 80, () => promise)
  ports.forget('a')
  resolve('owner')
  assert.equal(await remembered, 'owner')
  assert.equal(ports.ownerOf('a', 80), undefined)
})
