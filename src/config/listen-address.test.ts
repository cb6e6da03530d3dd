import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWildcard, listenAddress } from './listen-address.ts'

test('listenAddress() puts an IPv6 address in brackets', () => {
  assert.equal(listenAddress({ host: '127.0.0.1', port: 4280 }), 'http://127.0.0.1:4280')
  assert.equal(listenAddress({ host: '::1', port: 80 }), 'http://[::1]:80')
})

test('isWildcard() knows the hosts that stand for all addresses', () => {
  for (const host of ['0.0.0.0', '0', '::', '0:0:0:0:0:0:0:0']) assert.equal(isWildcard(host), true, host)
  for (const host of ['127.0.0.1', '10.0.0.0', '::1', 'localhost']) assert.equal(isWildcard(host), false, host)
})
