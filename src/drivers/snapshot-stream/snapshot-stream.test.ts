import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { readSnapshot } from './read-snapshot.ts'
import { maxPieceBytes } from './stream-format.ts'
import { toReadable } from './to-readable.ts'
import { writeSnapshot } from './write-snapshot.ts'

const header = { format: 'memory', image: 'some-image' } as const
const options = { formats: ['tar', 'memory'], maxBytes: 1e9 } as const

async function* chunksOf(...chunks: Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks
}

function bytesIn(...chunks: Buffer[]): Readable {
  return Readable.from(chunks, { objectMode: false })
}

test('content arrives as it was, however it is divided', async () => {
  const content = [randomBytes(1), randomBytes(3 * maxPieceBytes + 7), randomBytes(70_000)]
  const whole = await buffer(writeSnapshot(header, chunksOf(...content)))
  for (const size of [1000, 65_536, whole.length]) {
    const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
      whole.subarray(index * size, (index + 1) * size),
    )
    const incoming = await readSnapshot(bytesIn(...chunks), options)
    assert.deepEqual([incoming.format, incoming.image], ['memory', 'some-image'])
    assert.ok((await buffer(incoming.content)).equals(Buffer.concat(content)))
  }
})

test('no byte of a stream can be left out or changed', async () => {
  const whole = await buffer(writeSnapshot(header, chunksOf(Buffer.from('content'), Buffer.from('more'))))
  const read = async (bytes: Buffer) => buffer((await readSnapshot(bytesIn(bytes), options)).content)
  for (let place = 0; place < whole.length; place++) {
    await assert.rejects(read(whole.subarray(0, place)), { code: 'invalid_request' }, `cut at ${place}`)
    const changed = Buffer.from(whole)
    changed[place]! ^= 1
    await assert.rejects(read(changed), { code: 'invalid_request' }, `changed at ${place}`)
  }
})

test('a header that is too long, or a piece that is, is refused before it is read', async () => {
  const whole = await buffer(writeSnapshot(header, chunksOf(Buffer.from('content'))))
  const longHeader = Buffer.from(whole)
  longHeader.writeUInt16BE(65_535, 18)
  await assert.rejects(readSnapshot(bytesIn(longHeader), options), /its header is too long/)
  const longPiece = Buffer.from(whole)
  longPiece.writeUInt32BE(maxPieceBytes + 1, whole.indexOf('content') - 4)
  const { content } = await readSnapshot(bytesIn(longPiece), options)
  await assert.rejects(buffer(content), /a piece is too long/)
})

test('a stream that stops arriving is refused', async () => {
  const whole = await buffer(writeSnapshot(header, chunksOf(Buffer.from('content'))))
  const stream = new Readable({ read: () => {} })
  stream.push(whole.subarray(0, -1))
  const { content } = await readSnapshot(stream, { ...options, stallMs: 20 })
  await assert.rejects(buffer(content), { code: 'invalid_request', message: /it has stopped/ })
})

test('a stream that brings a byte now and then is refused', async () => {
  const whole = await buffer(writeSnapshot(header, chunksOf(Buffer.alloc(1000))))
  async function* drip(): AsyncGenerator<Buffer> {
    for (const byte of whole) {
      await delay(5)
      yield Buffer.of(byte)
    }
  }
  const read = async () => buffer((await readSnapshot(Readable.from(drip()), { ...options, stallMs: 100 })).content)
  await assert.rejects(read(), { code: 'invalid_request', message: /too slow/ })
})

test('an export that nobody reads is ended, and what makes it too', async () => {
  let hasEnded = false
  async function* make(): AsyncGenerator<Buffer> {
    try {
      for (;;) yield Buffer.alloc(65_536)
    } finally {
      hasEnded = true
    }
  }
  const { stream, ended } = toReadable(make, { signal: new AbortController().signal, stallMs: 20 })
  const [error] = (await once(stream, 'error')) as [Error]
  assert.match(error.message, /nobody reads it/)
  await ended
  assert.ok(hasEnded)
})
