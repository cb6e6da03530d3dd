import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OutputPosition } from './output-position.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (data: Uint8Array) => new TextDecoder().decode(data)

test('output after the last cursor is dropped when it is repeated', () => {
  const position = new OutputPosition(0)
  position.accept('stdout', bytes('abc'))
  position.mark(3)
  position.accept('stdout', bytes('de'))
  position.rewind()
  assert.equal(position.cursor, 3)
  assert.equal(text(position.accept('stdout', bytes('defg'))), 'fg')
  assert.equal(text(position.accept('stdout', bytes('h'))), 'h')
})

test('channels are counted separately', () => {
  const position = new OutputPosition(0)
  position.accept('stdout', bytes('out'))
  position.accept('stderr', bytes('e'))
  position.rewind()
  assert.equal(text(position.accept('stderr', bytes('err'))), 'rr')
  assert.equal(text(position.accept('stdout', bytes('outer'))), 'er')
})

test('a cursor within the repeated output leaves the rest of it to be dropped', () => {
  const position = new OutputPosition(0)
  position.accept('stdout', bytes('abcdef'))
  position.rewind()
  assert.equal(text(position.accept('stdout', bytes('ab'))), '')
  position.mark(2)
  position.rewind()
  assert.equal(position.cursor, 2)
  assert.equal(text(position.accept('stdout', bytes('cdefgh'))), 'gh')
})

test('a second loss before any new output starts from the same position', () => {
  const position = new OutputPosition(0)
  position.accept('stdout', bytes('abcdef'))
  position.rewind()
  position.accept('stdout', bytes('abc'))
  position.rewind()
  assert.equal(text(position.accept('stdout', bytes('abcdefg'))), 'g')
})
