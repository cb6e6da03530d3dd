import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { describe, test } from 'node:test'
import { answerHeaders, requestHeaders } from './relayed-headers.ts'

const message = (headers: Record<string, string | string[]>, headersDistinct: Record<string, string[]> = {}) =>
  ({ headers, headersDistinct, socket: { remoteAddress: '192.0.2.1' } }) as unknown as IncomingMessage

describe('requestHeaders()', () => {
  test('says where a request came from, and adds to what a proxy before it said', () => {
    assert.deepEqual(requestHeaders(message({ host: 'a' })), {
      host: 'a',
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-host': 'a',
      'x-forwarded-proto': 'http',
    })
    const headers = requestHeaders(
      message({ host: 'a', 'x-forwarded-for': '203.0.113.1', 'x-forwarded-host': 'b', 'x-forwarded-proto': 'https' }),
    )
    assert.deepEqual(
      [headers['x-forwarded-for'], headers['x-forwarded-host'], headers['x-forwarded-proto']],
      ['203.0.113.1, 192.0.2.1', 'b', 'https'],
    )
  })

  test('drops what holds for one connection, also what the connection names', () => {
    const headers = requestHeaders(
      message({
        host: 'a',
        connection: 'Upgrade, X-Own',
        'x-own': '1',
        upgrade: 'h2c',
        te: 'trailers',
        trailer: 'x',
        'x-kept': '1',
      }),
    )
    assert.deepEqual(Object.keys(headers).toSorted(), [
      'host',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-kept',
    ])
  })

  test('keeps a token of Carrel outside, and hands on any other', () => {
    const tokens: Record<string, string>[] = [
      { authorization: 'Bearer pp_sess_abc' },
      { authorization: 'bearer  pp_sess_abc' },
      { 'x-session-token': 'pp_sess_abc' },
    ]
    for (const own of tokens)
      assert.deepEqual(Object.keys(requestHeaders(message({ host: 'a', ...own }))).toSorted(), [
        'host',
        'x-forwarded-for',
        'x-forwarded-host',
        'x-forwarded-proto',
      ])
    const other = { authorization: 'Bearer other', 'x-session-token': 'other' }
    const headers = requestHeaders(message({ host: 'a', ...other }))
    assert.deepEqual([headers.authorization, headers['x-session-token']], ['Bearer other', 'other'])
  })

  test('keeps chunks as chunks', () => {
    assert.equal(requestHeaders(message({ 'transfer-encoding': 'gzip, chunked' }))['transfer-encoding'], 'chunked')
    assert.equal(requestHeaders(message({}))['transfer-encoding'], undefined)
  })
})

describe('answerHeaders()', () => {
  for (const [cookie, kept] of [
    ['a=1; Domain=localhost; Path=/', 'a=1; Path=/'],
    ['a=1;domain=.localhost', 'a=1'],
    ['a=1; DOMAIN = x ; Secure', 'a=1; Secure'],
    ['a=1; Domain=x; Domain=y', 'a=1'],
    ['a=domain=x; Path=/', 'a=domain=x; Path=/'],
    ['a=1', 'a=1'],
  ] as const)
    test(`makes "${kept}" of the cookie "${cookie}"`, () => {
      const [set] = answerHeaders(message({ 'set-cookie': [cookie] }))['set-cookie'] as string[]
      assert.equal(set!.replaceAll(/\s*;\s*/g, '; '), kept)
    })

  test('keeps lines apart that came apart, and only one of what may be there once', () => {
    const lines = { 'x-a': ['1', '2'], 'content-type': ['text/html', 'text/plain'], 'x-b': ['3, 4'] }
    const headers = answerHeaders(message({ 'x-a': '1, 2', 'content-type': 'text/html', 'x-b': '3, 4' }, lines))
    assert.deepEqual(headers, { 'x-a': ['1', '2'], 'content-type': 'text/html', 'x-b': '3, 4' })
  })

  test('announces trailers behind chunks', () => {
    assert.deepEqual(answerHeaders(message({ trailer: 'x', 'transfer-encoding': 'chunked' })), { trailer: 'x' })
  })

  test('announces no other trailers, which may only be in chunks', () => {
    assert.deepEqual(answerHeaders(message({ trailer: 'x', 'content-length': '1' })), { 'content-length': '1' })
  })
})
