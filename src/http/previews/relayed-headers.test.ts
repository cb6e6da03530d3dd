import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { describe, test } from 'node:test'
import { responseHeaders, requestHeaders } from './relayed-headers.ts'

/** Returns a request with these headers, as Node's parser makes it. */
const request = (headers: Record<string, string>) =>
  ({
    headers,
    rawHeaders: Object.entries(headers).flatMap(([name, value]) => [name.toUpperCase(), value]),
    socket: { remoteAddress: '192.0.2.1' },
  }) as unknown as IncomingMessage

/** Returns values by name; a list where a name occurs more than once. */
function byName(pairs: string[]): Record<string, string | string[]> {
  const found: Record<string, string[]> = {}
  for (let i = 0; i < pairs.length; i += 2) (found[pairs[i]!] ??= []).push(pairs[i + 1]!)
  return Object.fromEntries(
    Object.entries(found).map(([name, values]) => [name, values.length > 1 ? values : values[0]!]),
  )
}

const ownTokens = { isIn: (text: string) => text.includes('pp_sess_') }
const sent = (headers: Record<string, string>) => byName(requestHeaders(request(headers), ownTokens))
const answered = (headers: string[], withTrailers = false) =>
  byName(responseHeaders({ status: 200, reason: 'OK', headers }, withTrailers))

describe('requestHeaders()', () => {
  test('reports where a request came from, and appends to what an earlier proxy reported', () => {
    assert.deepEqual(sent({ host: 'a' }), {
      host: 'a',
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-host': 'a',
      'x-forwarded-proto': 'http',
    })
    assert.deepEqual(
      sent({ host: 'a', 'x-forwarded-for': '203.0.113.1', 'x-forwarded-host': 'b', 'x-forwarded-proto': 'https' }),
      {
        host: 'a',
        'x-forwarded-for': '203.0.113.1, 192.0.2.1',
        'x-forwarded-host': 'b',
        'x-forwarded-proto': 'https',
      },
    )
  })

  test('drops hop-by-hop headers, and those that Connection names', () => {
    const headers = sent({
      host: 'a',
      connection: 'Upgrade, X-Own',
      'x-own': '1',
      upgrade: 'h2c',
      te: 'trailers',
      trailer: 'x',
      'x-kept': '1',
    })
    assert.deepEqual(Object.keys(headers).toSorted(), [
      'host',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-kept',
    ])
  })

  test('keeps Content-Length and Host, whatever Connection names', () => {
    const headers = sent({ host: 'a', connection: 'close, Content-Length, host', 'content-length': '5' })
    assert.deepEqual([headers['content-length'], headers.host], ['5', 'a'])
    assert.deepEqual(answered(['connection', 'content-length', 'content-length', '5']), { 'content-length': '5' })
  })

  test("removes Carrel's own tokens, and passes on any other", () => {
    const tokens: Record<string, string>[] = [
      { authorization: 'Bearer pp_sess_abc' },
      { authorization: 'bearer  pp_sess_abc' },
      { 'x-session-token': 'pp_sess_abc' },
    ]
    for (const own of tokens)
      assert.deepEqual(Object.keys(sent({ host: 'a', ...own })).toSorted(), [
        'host',
        'x-forwarded-for',
        'x-forwarded-host',
        'x-forwarded-proto',
      ])
    const headers = sent({ host: 'a', authorization: 'Bearer other', 'x-session-token': 'other' })
    assert.deepEqual([headers.authorization, headers['x-session-token']], ['Bearer other', 'other'])
  })

  test('keeps chunks as chunks', () => {
    assert.equal(sent({ 'transfer-encoding': 'gzip, chunked' })['transfer-encoding'], 'chunked')
    assert.equal(sent({})['transfer-encoding'], undefined)
  })
})

describe('responseHeaders()', () => {
  for (const [cookie, kept] of [
    ['a=1; Domain=localhost; Path=/', 'a=1; Path=/'],
    ['a=1;domain=.localhost', 'a=1'],
    ['a=1; DOMAIN = x ; Secure', 'a=1; Secure'],
    ['a=1; Domain=x; Domain=y', 'a=1'],
    ['a=domain=x; Path=/', 'a=domain=x; Path=/'],
    ['a=1', 'a=1'],
  ] as const)
    test(`turns the cookie "${cookie}" into "${kept}"`, () => {
      const set = answered(['set-cookie', cookie])['set-cookie'] as string
      assert.equal(set.replaceAll(/\s*;\s*/g, '; '), kept)
    })

  test('keeps repeated headers as separate lines, and only the first of single-valued headers', () => {
    const lines = ['x-a', '1', 'content-type', 'text/html', 'x-a', '2', 'content-type', 'text/plain', 'x-b', '3, 4']
    assert.deepEqual(answered(lines), { 'x-a': ['1', '2'], 'content-type': 'text/html', 'x-b': '3, 4' })
  })

  test('announces trailers only where they are possible', () => {
    const lines = ['trailer', 'x', 'transfer-encoding', 'chunked']
    assert.deepEqual(answered(lines, true), { trailer: 'x' })
    assert.deepEqual(answered(lines, false), {})
  })
})
