import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TailLines } from './tail-lines.ts'

test('the last lines are kept, however the output is cut into chunks', () => {
  const text = 'one\ntwo\n\nfour\nfive\nsix'
  const last = ['', 'six', 'five\nsix', 'four\nfive\nsix', '\nfour\nfive\nsix', 'two\n\nfour\nfive\nsix']
  for (const [whole, expected] of [
    [text, [...last, text, text]],
    [`${text}\n`, [...last, text, text].map((lines) => (lines === '' ? '' : `${lines}\n`))],
  ] as const)
    for (const [count, lines] of expected.entries())
      for (let length = 1; length <= whole.length; length++) {
        const tail = new TailLines(count)
        for (let at = 0; at < whole.length; at += length)
          tail.push({ channel: at % 2 === 0 ? 'stdout' : 'stderr', data: Buffer.from(whole.slice(at, at + length)) })
        const kept = [...tail].map(({ data }) => data.toString()).join('')
        assert.equal(kept, lines, `${count} lines in chunks of ${length}`)
      }
})
