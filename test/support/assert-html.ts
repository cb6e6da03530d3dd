import assert from 'node:assert/strict'

/** Elements that have no end. */
const voids = new Set(['meta', 'link', 'input', 'br', 'img', 'hr'])

/** Asserts that a page is whole: its elements are closed in order, ids are unique, and its head has what it needs. */
export function assertWholePage(page: string, name = page): void {
  assert.match(page, /^<!doctype html>\s*<html lang="en">/, name)
  assert.match(page, /<title>[^<]+<\/title>/, name)
  assert.match(page, /<meta name="viewport" content="width=device-width, initial-scale=1" \/>/, name)
  assert.equal([...page.matchAll(/<h1\b/g)].length, 1, name)
  const text = page.replace(/<!doctype html>/, '').replaceAll(/(<(style|script)\b[^>]*>)[^]*?(<\/\2>)/g, '$1$3')
  const open: string[] = []
  for (const [, end, element, , self] of text.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*?)(\/?)>/gi)) {
    if (end) assert.equal(element, open.pop(), `${name}: </${element}>`)
    else if (!self && !voids.has(element!)) open.push(element!)
  }
  assert.deepEqual(open, [], name)
  assert.doesNotMatch(text.replaceAll(/<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*?)(\/?)>/gi, ''), /[<>]/, name)
  const ids = [...text.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id)
  assert.equal(new Set(ids).size, ids.length, `${name}: ${ids.join(' ')}`)
}
