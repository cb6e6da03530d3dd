import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'

const dist = new URL('../../web/dist/', import.meta.url)
const page = readFileSync(new URL('index.html', dist), 'utf8')
const maxFirstLoadBytes = 250_000

test('the first load of a page is small: what is not in the first view is loaded later', () => {
  const scripts = [...page.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map(([, path]) => path!)
  const bytes = scripts.map((path) => gzipSync(readFileSync(new URL(path, dist))).length)
  assert.ok(scripts.length > 0)
  const total = bytes.reduce((sum, size) => sum + size, 0)
  assert.ok(total <= maxFirstLoadBytes, `${total} bytes of scripts, compressed`)
})

test('the document of a page has no script of its own, and loads nothing from elsewhere', () => {
  for (const [, attributes, text] of page.matchAll(/<script([^>]*)>([^]*?)<\/script>/g)) {
    assert.match(attributes!, / src="\/assets\//)
    assert.equal(text, '')
  }
  for (const [, address] of page.matchAll(/(?:src|href)="([^"]*)"/g)) assert.match(address!, /^\/assets\//)
})
