import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyedGate } from './keyed-gate.ts'

test('lets so many of a key in, the next when one leaves, and those of other keys at once', async () => {
  const gate = new KeyedGate(2)
  const entered: string[] = []
  const enter = async (key: string, name: string) => {
    const leave = await gate.enter(key)
    entered.push(name)
    return leave
  }
  const first = await enter('a', '1')
  await enter('a', '2')
  const waits = [enter('a', '3'), enter('a', '4')]
  await enter('b', 'other')
  assert.deepEqual(entered, ['1', '2', 'other'])
  first()
  first()
  await waits[0]
  assert.deepEqual(entered, ['1', '2', 'other', '3'])
  ;(await waits[0])!()
  await waits[1]
  assert.deepEqual(entered.at(-1), '4')
})
