import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wrap } from './wrap.ts'

test('wrap() breaks paragraphs between words and keeps columns', () => {
  const text =
    'Usage: x\n\nOne two three four five six\nseven.\n\nOptions:\n  -a, --all   Shows all of it and more\n  -b          Short\n'
  assert.equal(
    wrap(text, 23),
    [
      'Usage: x',
      '',
      'One two three four five',
      'six seven.',
      '',
      'Options:',
      '  -a, --all   Shows all',
      '    of it and more',
      '  -b          Short',
      '',
    ].join('\n'),
  )
  assert.equal(wrap(text, 200), text)
  assert.equal(wrap(text, undefined), text)
})

test('wrap() keeps the column of the text if half of the line is left for it', () => {
  assert.equal(wrap('  -a  Shows all of it and more\n', 20), '  -a  Shows all of\n      it and more\n')
})
