import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainTextOf } from './plain-text.ts'

test('plainTextOf() gives text that says more than a class', () => {
  const object = (name: string) => `<IPython.core.display.${name} object>`
  for (const [bundle, text] of [
    [{ 'text/plain': 'x**2', 'text/latex': '$x^2$' }, 'x**2'],
    [{ 'text/plain': '   a\n0  1', 'text/html': '<table>' }, '   a\n0  1'],
    [{ 'text/plain': '<Figure size 640x480 with 1 Axes>', 'image/png': '' }, '<Figure size 640x480 with 1 Axes>'],
    [{ 'text/plain': object('Markdown'), 'text/markdown': '# *m*' }, '# *m*'],
    [{ 'text/plain': object('Latex'), 'text/latex': '$l$' }, '$l$'],
    [{ 'text/plain': object('HTML'), 'text/html': '<b>h</b>' }, 'h'],
    [{ 'text/plain': '<__main__.A at 0x7f5c2>', 'text/html': '<b>h</b>' }, 'h'],
    [{ 'text/plain': '<a.B object at 0x7f5c2>', 'text/html': '<b>h</b>', 'text/markdown': '**h**' }, '**h**'],
    [{ 'text/html': '<b>h</b>' }, 'h'],
    [{ 'text/plain': object('JSON'), 'application/json': { q: [1, null] } }, '{"q":[1,null]}'],
    [{ 'application/geo+json': 'text' }, '"text"'],
    [{ 'text/plain': object('Javascript'), 'application/javascript': 'alert(1)' }, 'alert(1)'],
    [{ 'text/plain': object('SVG'), 'image/svg+xml': '<svg/>' }, 'SVG image'],
    [{ 'text/plain': object('Image'), 'image/png': 'aGk=' }, 'PNG image'],
    [{ 'text/plain': '<__main__.A at 0x7f5c2>' }, '<__main__.A at 0x7f5c2>'],
    [{}, undefined],
  ] as const)
    assert.equal(plainTextOf(bundle as Record<string, unknown>), text, JSON.stringify(bundle))
})

test('plainTextOf() does not write out large JSON', () => {
  const many = Array.from({ length: 100_000 }, () => 1)
  for (const [value, text] of [
    [many, 'A list of length 100000, too long to show as text'],
    [{ many }, 'An object of size 1, too long to show as text'],
    [['x'.repeat(100_000)], 'A list of length 1, too long to show as text'],
  ] as const)
    assert.equal(plainTextOf({ 'application/json': value }), text)
})
