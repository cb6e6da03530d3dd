import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Gate } from './gate.ts'

test('it lets no more in than its size, in the order in which they came', async () => {
  const gate = new Gate(3)
  const order: number[] = []
  let inside = 0
  let most = 0
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      gate.run(async () => {
        order.push(index)
        most = Math.max(most, ++inside)
        await new Promise((resolve) => setImmediate(resolve))
        inside--
      }),
    ),
  )
  assert.equal(most, 3)
  assert.deepEqual(order, [...order.keys()])
  assert.equal(gate.waiting, 0)
})

test('work that fails lets the next one in', async () => {
  const gate = new Gate(1)
  const failing = gate.run(() => Promise.reject(new Error('no')))
  const next = gate.run(async () => 'in')
  assert.equal(gate.waiting, 1)
  await assert.rejects(failing, /no/)
  assert.equal(await next, 'in')
})

test('who comes between two turns does not get in beyond the size', async () => {
  const gate = new Gate(1)
  let inside = 0
  const work = async () => {
    assert.equal(++inside, 1)
    await Promise.resolve()
    inside--
  }
  const first = gate.run(work)
  const second = gate.run(work)
  await first
  await Promise.all([second, gate.run(work), gate.run(work)])
})
