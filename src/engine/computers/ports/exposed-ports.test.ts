import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExposedPorts } from './exposed-ports.ts'

const found = { accountId: 'owner', isPrivate: false, keepsFiles: true }

test('a port that was found is remembered until its computer changes', async () => {
  const ports = new ExposedPorts()
  await ports.remember('a', 80, async () => found)
  await ports.remember('b', 80, async () => found)
  assert.deepEqual([ports.get('a', 80), ports.get('a', 81), ports.get('b', 80)], [found, undefined, found])
  ports.forget('a')
  assert.deepEqual([ports.get('a', 80), ports.get('b', 80)], [undefined, found])
})

test('a port that was not found is not remembered', async () => {
  const ports = new ExposedPorts()
  await assert.rejects(
    ports.remember('a', 80, () => Promise.reject(new Error('no'))),
    /no/,
  )
  assert.equal(ports.get('a', 80), undefined)
})

test('a lookup that began before a change is not remembered', async () => {
  const ports = new ExposedPorts()
  const { promise, resolve } = Promise.withResolvers<typeof found>()
  const remembered = ports.remember('a', 80, () => promise)
  ports.forget('a')
  resolve(found)
  assert.equal(await remembered, found)
  assert.equal(ports.get('a', 80), undefined)
})
