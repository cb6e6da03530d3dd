import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networksIn, wideNetworkOf } from './wide-network.ts'

test('a network of IPv6 lies in a /48, one of IPv4 in none', () => {
  assert.equal(wideNetworkOf('2001:db8:1:2'), '2001:db8:1')
  assert.equal(wideNetworkOf('0:0:0:0'), '0:0:0')
  for (const network of ['192.0.2.1', 'unknown', '']) assert.equal(wideNetworkOf(network), undefined)
})

test('the networks of a /48 stand together, and no other among them', () => {
  const [from, before] = networksIn('2001:db8:1')
  const isIn = (network: string) => network >= from && network < before
  for (const network of ['2001:db8:1:0', '2001:db8:1:2', '2001:db8:1:ffff']) assert.ok(isIn(network), network)
  for (const network of ['2001:db8:10:2', '2001:db8:0:2', '2001:db8:2:0', '192.0.2.1', 'unknown'])
    assert.ok(!isIn(network), network)
})
