import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { asText, OutputDecoder } from './text-decoder.ts'

const sample = 'aé€😀\u0000ÿ\u0301漢字🏳️‍🌈z'

/** Decodes bytes in pieces of a size. Returns the text, and how often a piece ended inside a character. */
function decodeInPieces(bytes: Buffer, size: number): { text: string; pending: number } {
  const decoder = new OutputDecoder()
  let text = ''
  let pending = 0
  for (let at = 0; at < bytes.length; at += size) {
    text += decoder.decode({ stream: 'stdout', data: bytes.subarray(at, at + size) })
    if (decoder.pending) pending++
  }
  for (const rest of decoder.rest()) text += rest.text
  return { text, pending }
}

describe('OutputDecoder', () => {
  for (const size of [1, 2, 3, 4, 5, 7, 100])
    test(`returns the same text from pieces of ${size} bytes`, () => {
      const { text, pending } = decodeInPieces(Buffer.from(sample), size)
      assert.equal(text, sample)
      assert.equal(pending > 0, size < 100)
    })

  test('never returns part of a character', () => {
    const decoder = new OutputDecoder()
    for (const byte of Buffer.from('€😀')) {
      const text = decoder.decode({ stream: 'stdout', data: Buffer.from([byte]) })
      assert.ok(['', '€', '😀'].includes(text), JSON.stringify(text))
    }
  })

  test('decodes the two streams separately', () => {
    const decoder = new OutputDecoder()
    const [first, second, third] = Buffer.from('€') as unknown as [number, number, number]
    assert.equal(decoder.decode({ stream: 'stdout', data: Buffer.from([first, second]) }), '')
    assert.equal(decoder.decode({ stream: 'stderr', data: Buffer.from('err') }), 'err')
    assert.equal(decoder.decode({ stream: 'stdout', data: Buffer.from([third]) }), '€')
    assert.equal(decoder.pending, false)
  })

  test('returns the incomplete character at the end of a stream', () => {
    const decoder = new OutputDecoder()
    assert.deepEqual(decoder.rest(), [])
    decoder.decode({ stream: 'stderr', data: Buffer.from([0xf0, 0x9f, 0x98]) })
    assert.equal(decoder.pending, true)
    assert.deepEqual(decoder.rest(), [{ stream: 'stderr', text: '\ufffd' }])
  })

  test('holds nothing back after bytes that do not begin a character', () => {
    for (const bytes of [[0xff], [0x80], [0xc0], [0xc1], [0xf5], [0x41, 0xbf, 0xbf, 0xbf]]) {
      const decoder = new OutputDecoder()
      assert.equal(decoder.decode({ stream: 'stdout', data: Buffer.from(bytes) }), Buffer.from(bytes).toString('utf8'))
      assert.equal(decoder.pending, false, String(bytes))
    }
  })

  test('returns the same text for random bytes in pieces as for all of them, and loses no valid text', () => {
    for (let round = 0; round < 300; round++) {
      const bytes = Buffer.concat([
        randomBytes(round % 9),
        Buffer.from(sample),
        randomBytes(round % 5),
        Buffer.from('end'),
      ])
      const { text } = decodeInPieces(bytes, 1 + (round % 6))
      assert.equal(text.replaceAll('\ufffd', ''), bytes.toString('utf8').replaceAll('\ufffd', ''))
    }
  })
})

describe('asText()', () => {
  test('returns text alone for UTF-8, and also base64 for anything else', () => {
    assert.deepEqual(asText(Buffer.from('ä')), { text: 'ä' })
    assert.deepEqual(asText(Buffer.alloc(0)), { text: '' })
    assert.deepEqual(asText(Buffer.from([0xff, 0x41])), { text: '\ufffdA', base64: '/0E=' })
    assert.equal(asText(Buffer.from('é').subarray(0, 1)).base64, 'ww==')
  })
})
