import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serverSentEvents } from './sse.ts'

async function read(...chunks: (string | Uint8Array)[]) {
  const bytes = chunks.map((chunk) => (typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk))
  return Array.fromAsync(
    serverSentEvents(
      (async function* () {
        yield* bytes
      })(),
    ),
  )
}

test('events keep their name, their id and several lines of data', async () => {
  assert.deepEqual(await read('event: stdout\nid: 7\ndata: one\ndata: two\n\ndata:three\n\n'), [
    { event: 'stdout', data: 'one\ntwo', id: '7' },
    { event: 'message', data: 'three', id: '7' },
  ])
})

test('comments, unknown fields and events without data are skipped', async () => {
  assert.deepEqual(await read(': ping\n\nretry: 5\nevent: nothing\n\ndata: x\n\n'), [
    { event: 'message', data: 'x', id: '' },
  ])
})

test('an event is the same for every line ending and every split into chunks', async () => {
  for (const ending of ['\n', '\r\n', '\r']) {
    const text = ['event: stdout', 'data: naïve 🖋', 'data: b', '', 'data: c', '', ''].join(ending)
    const bytes = new TextEncoder().encode(text)
    for (let cut = 0; cut <= bytes.length; cut++) {
      assert.deepEqual(
        await read(bytes.subarray(0, cut), bytes.subarray(cut)),
        [
          { event: 'stdout', data: 'naïve 🖋\nb', id: '' },
          { event: 'message', data: 'c', id: '' },
        ],
        `${JSON.stringify(ending)} cut at ${cut}`,
      )
    }
  }
})

test('an incomplete event at the end of the stream is dropped', async () => {
  assert.deepEqual(await read('data: whole\n\ndata: half\n'), [{ event: 'message', data: 'whole', id: '' }])
})
