import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networksIn, sitePrefixOf } from './site-prefix.ts'

test('an IPv6 network belongs to a /48, an IPv4 address to none', () => {
  assert.equal(sitePrefixOf('2001:db8:1:2'), '2001:db8:1')
  assert.equal(sitePrefixOf('0:0:0:0'), '0:0:0')
  for (const network of ['192.0.2.1', 'unknown', '']) assert.equal(sitePrefixOf(network), undefined)
})

test('networksIn() holds the networks of a /48 and no others', () => {
  const [from, before] = networksIn('2001:db8:1')
  const isIn = (network: string) => network >= from && network < before
  for (const network of ['2001:db8:1:0', '2001:db8:1:2', '2001:db8:1:ffff']) assert.ok(isIn(network), network)
  for (const network of ['2001:db8:10:2', '2001:db8:0:2', '2001:db8:2:0', '192.0.2.1', 'unknown'])
    assert.ok(!isIn(network), network)
})
