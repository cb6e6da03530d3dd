import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UploadQueue } from './upload-queue.ts'

interface Sending {
  signal: AbortSignal
  onProgress: (sentBytes: number) => void
  resolve: () => void
  reject: (error: Error) => void
}

/** A queue whose files arrive when the test says so. */
function open() {
  const sending = new Map<string, Sending>()
  const done: string[] = []
  const queue = new UploadQueue({
    onDone: (path) => done.push(path),
    send: (path, _content, options) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      options.signal.addEventListener('abort', () => reject(new Error('aborted')))
      sending.set(path, { ...options, resolve, reject })
      return promise
    },
  })
  const states = () => queue.uploads.value.map(({ path, state }) => `${path} ${state}`)
  const idOf = (path: string) => queue.uploads.value.find((upload) => upload.path === path)!.id
  return { queue, sending, done, states, idOf }
}

const file = (path: string) => ({ path, content: new Blob(['12345']) })
const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

test('files are sent two at a time, in order, with their progress', async () => {
  const { queue, sending, done, states } = open()
  queue.add(['a', 'b', 'c'].map(file))
  assert.deepEqual(states(), ['a sending', 'b sending', 'c waiting'])
  sending.get('a')!.onProgress(3)
  assert.equal(queue.uploads.value[0]!.sentBytes, 3)
  sending.get('a')!.resolve()
  await settled()
  assert.deepEqual(states(), ['a done', 'b sending', 'c sending'])
  assert.deepEqual([done, queue.uploads.value[0]!.sentBytes], [['a'], 5])
})

test('one that fails says why, lets the next one go, and is sent again from its beginning', async () => {
  const { queue, sending, states, idOf } = open()
  queue.add(['a', 'b', 'c'].map(file))
  sending.get('a')!.onProgress(4)
  sending.get('a')!.reject(new Error('the disk is full'))
  await settled()
  assert.deepEqual(states(), ['a failed', 'b sending', 'c sending'])
  assert.equal(queue.uploads.value[0]!.error, 'The disk is full.')
  queue.retry(idOf('a'))
  assert.deepEqual(states()[0], 'a waiting')
  assert.equal(queue.uploads.value[0]!.sentBytes, 0)
})

test('one that is cancelled is aborted, says nothing more, and can be sent again', async () => {
  const { queue, sending, states, idOf } = open()
  queue.add([file('a')])
  const first = sending.get('a')!
  queue.cancel(idOf('a'))
  assert.ok(first.signal.aborted)
  // Wanted again before the first attempt has ended: two of one file never run at once.
  queue.retry(idOf('a'))
  assert.equal(sending.get('a'), first)
  await settled()
  first.onProgress(2)
  assert.deepEqual(states(), ['a sending'])
  assert.notEqual(sending.get('a'), first)
  assert.equal(queue.uploads.value[0]!.sentBytes, 0)
})

test('clear() forgets what is over and nothing else', async () => {
  const { queue, sending, states } = open()
  queue.add(['a', 'b', 'c'].map(file))
  sending.get('a')!.resolve()
  await settled()
  queue.clear()
  assert.deepEqual(states(), ['b sending', 'c sending'])
})
