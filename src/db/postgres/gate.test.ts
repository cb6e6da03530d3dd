import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Gate } from './gate.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('what passes waits while the gate is closed, and closing works run one after the other', async () => {
  const gate = new Gate()
  const order: string[] = []
  const first = Promise.withResolvers<void>()
  const closing = [
    gate.whileClosed(async () => {
      order.push('first begins')
      await first.promise
      order.push('first ends')
    }),
    gate.whileClosed(async () => {
      order.push('second begins')
      await turn()
      order.push('second ends')
    }),
  ]
  const passing = gate.pass().then(() => order.push('passed'))
  await turn()
  first.resolve()
  await Promise.all([...closing, passing])
  assert.deepEqual(order, ['first begins', 'first ends', 'second begins', 'second ends', 'passed'])
})

test('a failure opens the gate, and rejects for its own caller only', async () => {
  const gate = new Gate()
  const failing = gate.whileClosed(() => Promise.reject(new Error('no')))
  const passing = gate.pass()
  await assert.rejects(failing, /^Error: no$/)
  await passing
  assert.equal(await gate.whileClosed(async () => 'done'), 'done')
})
