import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Gate } from './gate.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))
/** Longer than any test takes. */
const patient = 60_000

/** Runs works that say when they begin, and end when they are told to. */
function works(gate: Gate) {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const start = (how: 'besideOthers' | 'alone', name: string) =>
    gate[how](async () => {
      begun.push(name)
      await new Promise<void>((resolve) => ends.set(name, resolve))
    })
  const end = async (...names: string[]) => {
    for (const name of names) ends.get(name)!()
    await turn()
  }
  return { begun, start, end }
}

test('work that is to be alone waits for what runs, and alternates with what runs side by side', async () => {
  const { begun, start, end } = works(new Gate(2, patient))
  const all = [
    ...['a', 'b', 'c', 'd', 'e', 'f'].map((name) => start('besideOthers', name)),
    ...['X', 'Y'].map((name) => start('alone', name)),
  ]
  await turn()
  assert.deepEqual(begun.splice(0), ['a', 'b'])
  await end('a')
  assert.deepEqual(begun.splice(0), [])
  await end('b')
  assert.deepEqual(begun.splice(0), ['X'])
  await end('X')
  assert.deepEqual(begun.splice(0), ['c', 'd'])
  await end('c', 'd')
  assert.deepEqual(begun.splice(0), ['Y'])
  await end('Y')
  assert.deepEqual(begun.splice(0), ['e', 'f'])
  await end('e', 'f')
  await Promise.all(all)
})

test('work that takes long holds nothing up', async () => {
  const { begun, start, end } = works(new Gate(2, 1))
  const slow = start('besideOthers', 'slow')
  const slowAlone = start('alone', 'slow alone')
  const quick = start('besideOthers', 'quick')
  while (begun.length < 3) await turn()
  assert.deepEqual(begun, ['slow', 'slow alone', 'quick'])
  await end('slow', 'slow alone', 'quick')
  await Promise.all([slow, slowAlone, quick])
})

test('a failure lets the next one in, and rejects for its own caller only', async () => {
  const gate = new Gate(1, patient)
  const fail = () => Promise.reject(new Error('no'))
  const succeed = async () => 'done'
  const [one, two, three, four] = await Promise.allSettled([
    gate.besideOthers(fail),
    gate.alone(fail),
    gate.besideOthers(succeed),
    gate.alone(succeed),
  ])
  assert.deepEqual(
    [one, two, three, four].map(({ status }) => status),
    ['rejected', 'rejected', 'fulfilled', 'fulfilled'],
  )
})
