import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Queues } from './queues.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))
const queues = () => new Queues({ action: 'do it', unnamedAtOnce: 2, maxWaitingOfOne: 2, maxWaiting: 3 })

/** Starts works that run until they are ended. */
function works(all: Queues) {
  const begun: string[] = []
  const over = Promise.withResolvers<void>()
  const run = (queue: string | undefined, name: string) =>
    all.run(queue, async () => {
      begun.push(name)
      await over.promise
    })
  return { begun, run, end: over.resolve }
}

test('the work of a queue runs one after the other, and that without a queue a few at a time', async () => {
  const { begun, run, end } = works(queues())
  const all = [run('a', 'a1'), run('a', 'a2'), run('b', 'b1')]
  const unnamed = ['1', '2', '3'].map((name) => run(undefined, name))
  assert.deepEqual(begun, ['a1', 'b1', '1', '2'])
  end()
  await Promise.all([...all, ...unnamed])
  assert.deepEqual(begun.toSorted(), ['1', '2', '3', 'a1', 'a2', 'b1'])
})

test('a full queue refuses its own work alone, and full queues all work that would wait', async () => {
  const { begun, run, end } = works(queues())
  const all = [run('a', 'a1'), run('a', 'a2'), run('a', 'a3')]
  await assert.rejects(run('a', 'a4'), { code: 'limit_reached' })
  all.push(run('b', 'b1'), run('b', 'b2'))
  await assert.rejects(run('b', 'b3'), { code: 'no_capacity' })
  all.push(run('c', 'c1'))
  end()
  await Promise.all(all)
  assert.equal(begun.length, 6)
})

test('a failure lets the next one of its queue in', async () => {
  const all = queues()
  const failing = assert.rejects(all.run('a', () => Promise.reject(new Error('no'))))
  const next = all.run('a', async () => 'done')
  await failing
  assert.equal(await next, 'done')
  await turn()
  assert.equal(await all.run('a', async () => 'again'), 'again')
})
