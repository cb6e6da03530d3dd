import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DetachKeys } from './detach-keys.ts'

test('Ctrl-P Ctrl-Q detaches, also in two parts, and every other key is passed on', () => {
  const cases: [typed: string[], passed: string, isDetached: boolean][] = [
    [['ab\x10\x11cd'], 'ab', true],
    [['a\x10', '\x11'], 'a', true],
    [['\x10\x10\x11'], '\x10', true],
    [['\x10', 'p\x11'], '\x10p\x11', false],
    [['\x11\x10'], '\x11', false],
  ]
  for (const [typed, passed, isDetached] of cases) {
    const keys = new DetachKeys()
    const taken = typed.map((text) => keys.take(Buffer.from(text)))
    assert.equal(taken.map(({ data }) => Buffer.from(data).toString()).join(''), passed)
    assert.equal(taken.at(-1)?.isDetached, isDetached)
  }
})
