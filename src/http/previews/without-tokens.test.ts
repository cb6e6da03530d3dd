import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { headersWithoutTokens, targetWithoutTokens } from './without-tokens.ts'

const own = 'carrels_own'
const ownTokens = { isIn: (text: string) => text.includes(own) }

describe('headersWithoutTokens()', () => {
  const cases: [name: string, value: string, kept: string | undefined][] = [
    ['authorization', `Bearer ${own}`, undefined],
    ['authorization', `Basic ${btoa(`user:${own}`)}`, undefined],
    ['authorization', `Basic ${btoa('user:password')}`, `Basic ${btoa('user:password')}`],
    ['authorization', `Basic\t${btoa(`user:${own}`)}`, undefined],
    ['authorization', 'Bearer other', 'Bearer other'],
    ['x-session-token', own, undefined],
    ['x-api-key', own, undefined],
    ['cookie', `a=1; token=${own}; b=2`, 'a=1; b=2'],
    ['cookie', `token=${own}; a=1;b=2`, 'a=1;b=2'],
    ['cookie', `token=${own}`, undefined],
    ['cookie', 'a=1;  b=2 ', 'a=1;  b=2 '],
    ['sec-websocket-protocol', `chat, ${own}`, 'chat'],
    ['sec-websocket-protocol', `bearer, ${own}, chat`, 'bearer, chat'],
    ['sec-websocket-protocol', `chat, base64url.bearer.${btoa(own)}`, 'chat'],
    ['sec-websocket-protocol', `chat, base64url.bearer.${btoa('other')}`, `chat, base64url.bearer.${btoa('other')}`],
    ['referer', `http://a.example/b?token=${own}&c=1`, 'http://a.example/b?c=1'],
    ['referer', `http://a.example/${own}?c=1`, undefined],
  ]
  for (const [name, value, kept] of cases)
    test(`turns ${name}: ${value} into ${JSON.stringify(kept)}`, () =>
      assert.deepEqual(headersWithoutTokens(['host', 'a', name, value, 'x-b', '1'], ownTokens), [
        'host',
        'a',
        ...(kept === undefined ? [] : [name, kept]),
        'x-b',
        '1',
      ]))
})

describe('targetWithoutTokens()', () => {
  for (const [target, kept] of [
    [`/a?token=${own}`, '/a'],
    [`/a?x=1&token=${own}&y=%20`, '/a?x=1&y=%20'],
    [`/a?${own}`, '/a'],
    [`/a?x=1#token=${own}`, '/a?x=1'],
    ['/a?', '/a?'],
    ['/a?&&b', '/a?&&b'],
    [`/${own}/a`, `/${own}/a`],
  ] as const)
    test(`turns ${target} into ${kept}`, () => assert.equal(targetWithoutTokens(target, ownTokens), kept))
})
