import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sequenceOf, withControl } from './terminal-keys.ts'

test('arrow keys send what the mode of the program asks for', () => {
  assert.equal(sequenceOf('ArrowUp', { isApplication: false }), '\u001b[A')
  assert.equal(sequenceOf('ArrowLeft', { isApplication: true }), '\u001bOD')
  assert.equal(sequenceOf('Tab', { isApplication: true }), '\t')
})

test('Ctrl makes control characters of letters, and leaves everything else', () => {
  assert.deepEqual(['c', 'C', '[', '1', 'ä', 'cd'].map(withControl), ['\u0003', '\u0003', '\u001b', '1', 'ä', 'cd'])
})
