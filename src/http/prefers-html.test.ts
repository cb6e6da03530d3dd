import assert from 'node:assert/strict'
import { test } from 'node:test'
import { prefersHtml } from './prefers-html.ts'

const chromium =
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7'
const java = 'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2'

for (const [accept, isPage, agent] of [
  [chromium, true],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', true],
  ['text/html', true],
  ['application/json;q=0.3, TEXT/HTML;q=0.4', false],
  ['text/html;q=0.4, application/json;q=0.3', true],
  ['application/json, text/html;q=0.9', false],
  ['application/json, text/html', false],
  ['text/html;q=0', false],
  ['text/html;q=none', false],
  ['text/htmlx', false],
  ['application/json, text/plain, */*', false],
  ['text/*', false],
  ['*/*', false],
  ['', false],
  [undefined, false],
  [java, false, 'Java/21.0.4'],
  [java, true, 'Mozilla/5.0'],
] as const)
  test(`a client that accepts ${accept ?? 'whatever'}${agent ? ` as ${agent}` : ''} is shown ${isPage ? 'a page' : 'JSON'}`, () => {
    assert.equal(prefersHtml({ accept, 'user-agent': agent }), isPage)
  })
