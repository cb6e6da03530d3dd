import assert from 'node:assert/strict'

/** Elements that have no end. */
const voids = new Set(['meta', 'link', 'input', 'br', 'img', 'hr'])

/** Asserts that a page is whole: its elements are closed in order, ids are unique, and its head has what it needs. */
export function assertWholePage(page: string): void {
  assert.match(page, /^<!doctype html>\s*<html lang="en">/)
  assert.match(page, /<title>[^<]+<\/title>/)
  assert.match(page, /<meta name="viewport" content="width=device-width, initial-scale=1" \/>/)
  assert.equal([...page.matchAll(/<h1\b/g)].length, 1)
  const text = page.replace(/<!doctype html>/, '').replaceAll(/(<(style|script)\b[^>]*>)[^]*?(<\/\2>)/g, '$1$3')
  const open: string[] = []
  for (const [, end, name, , self] of text.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*?)(\/?)>/gi)) {
    if (end) assert.equal(name, open.pop(), `${name} ends`)
    else if (!self && !voids.has(name!)) open.push(name!)
  }
  assert.deepEqual(open, [])
  assert.doesNotMatch(text.replaceAll(/<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*?)(\/?)>/gi, ''), /[<>]/)
  const ids = [...text.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id)
  assert.equal(new Set(ids).size, ids.length, ids.join(' '))
}
