import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { table } from './table.ts'

const columns = [
  { title: 'ID' },
  { title: 'PID', dropOrder: 2 },
  { title: 'STARTED', dropOrder: 1 },
  { title: 'COMMAND', shrinksTo: 10 },
]
const id = '0123456789abcdefghij'
const rows = [
  [id, '4321', '2026-01-26 14:05', 'python -m http.server 8080 --directory /srv'],
  ['web', '1', '2026-01-26 14:06', 'true'],
]
const at = (width?: number) => table(columns, rows, width).trimEnd().split('\n')

describe('table()', () => {
  test('is as wide as its cells without a terminal', () => {
    assert.deepEqual(at(), [
      'ID                    PID   STARTED           COMMAND',
      `${id}  4321  2026-01-26 14:05  python -m http.server 8080 --directory /srv`,
      'web                   1     2026-01-26 14:06  true',
    ])
  })

  test('cuts shrinkable columns to the width', () => {
    const [, first, second] = at(64)
    assert.equal(first, `${id}  4321  2026-01-26 14:05  python -m http.se…`)
    assert.equal(second, 'web                   1     2026-01-26 14:06  true')
  })

  test('leaves out columns in their order if cutting does not suffice', () => {
    assert.deepEqual(at(40), [
      'ID                    PID   COMMAND',
      `${id}  4321  python -m h…`,
      'web                   1     true',
    ])
    assert.deepEqual(at(34), ['ID                    COMMAND', `${id}  python -m h…`, 'web                   true'])
  })

  test('never cuts an id, however narrow the terminal is', () => {
    for (let width = 1; width < 100; width++) {
      const lines = at(width)
      assert.ok(lines[1]!.startsWith(id))
      for (const line of lines) assert.ok(line.length <= Math.max(width, id.length + 12), `${width}: ${line}`)
    }
  })

  test('never cuts a character of two code units in half', () => {
    assert.equal(table([{ shrinksTo: 2 }], [['😀😀😀😀']], 3), '😀😀…\n')
  })
})
