import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FileChange } from '../driver.ts'
import { ChangeQueue } from './change-queue.ts'

const change = (type: FileChange['type'], path: string): FileChange => ({ type, path, directory: false })

async function all(queue: ChangeQueue): Promise<string[]> {
  queue.end()
  return (await Array.fromAsync(queue.read())).map(({ type, path, dropped }) => `${type} ${dropped ?? path}`)
}

test('changes come in their order', async () => {
  const queue = new ChangeQueue(10)
  for (const type of ['create', 'modify', 'delete'] as const) queue.add(change(type, 'a'))
  assert.deepEqual(await all(queue), ['create a', 'modify a', 'delete a'])
})

test('repeated modify changes of a path are merged while they are queued', async () => {
  const queue = new ChangeQueue(10)
  for (const path of ['a', 'b', 'a', 'a']) queue.add(change('modify', path))
  queue.add(change('create', 'a'))
  queue.add(change('modify', 'a'))
  assert.deepEqual(await all(queue), ['modify a', 'modify b', 'create a', 'modify a'])
})

test('a modify after the last one was read is a new change', async () => {
  const queue = new ChangeQueue(10)
  const reader = queue.read()[Symbol.asyncIterator]()
  queue.add(change('modify', 'a'))
  assert.equal((await reader.next()).value.path, 'a')
  queue.add(change('modify', 'a'))
  assert.equal((await reader.next()).value.path, 'a')
})

test('changes beyond the limit are dropped and counted in one overflow, and later ones are queued again', async () => {
  const queue = new ChangeQueue(3)
  for (let index = 0; index < 10; index++) queue.add(change('create', String(index)))
  const reader = queue.read()[Symbol.asyncIterator]()
  const changes = []
  for (let count = 0; count < 4; count++) changes.push((await reader.next()).value)
  assert.deepEqual(
    changes.map(({ type, path, dropped }) => [type, dropped ?? path]),
    [
      ['create', '0'],
      ['create', '1'],
      ['create', '2'],
      ['overflow', 7],
    ],
  )
  queue.add(change('create', 'later'))
  assert.equal((await reader.next()).value.path, 'later')
})

test('a failure is thrown after the queued changes', async () => {
  const queue = new ChangeQueue(3)
  queue.add(change('create', 'a'))
  queue.end(undefined, new Error('broken'))
  const reader = queue.read()[Symbol.asyncIterator]()
  assert.equal((await reader.next()).value.path, 'a')
  await assert.rejects(reader.next(), /broken/)
})
