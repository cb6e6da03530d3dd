import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withNumberedTitles } from './numbered-titles.ts'

test('titles that are the same get a number, and others stay', () => {
  const numbered = withNumberedTitles(['~', 'vim', '~', '~'].map((title) => ({ title })))
  assert.deepEqual(
    numbered.map(({ title }) => title),
    ['~', 'vim', '~ 2', '~ 3'],
  )
})
