import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkOf } from './network-of.ts'

const networks = {
  '192.0.2.1': '192.0.2.1',
  '192.0.2.1:4711': '192.0.2.1',
  '::ffff:192.0.2.1': '192.0.2.1',
  '::FFFF:c000:0201': '192.0.2.1',
  '[::ffff:192.0.2.1]:4711': '192.0.2.1',
  '2001:db8:1:2:3:4:5:6': '2001:db8:1:2',
  '2001:db8:1:2::6': '2001:db8:1:2',
  '2001:0DB8:0001:2::6': '2001:db8:1:2',
  '[2001:db8:1:2::6]': '2001:db8:1:2',
  '[2001:db8:1:2::6]:4711': '2001:db8:1:2',
  '2001:db8::1': '2001:db8:0:0',
  '2001:db8::1:2:3:4:5': '2001:db8:0:1',
  '::1': '0:0:0:0',
  'fe80::1%eth0': 'fe80:0:0:0',
}

test('an IPv4 address is its own network, an IPv6 address belongs to its /64, however they are written', () => {
  for (const [address, network] of Object.entries(networks)) assert.equal(networkOf(address, '10.0.0.1'), network)
})

test('an invalid address yields the network of the connection', () => {
  for (const junk of ['', 'unknown', '_hidden', 'a b', '1.2.3', '1.2.3.4:5:6', '999.1.1.1:80', '[::1', '[x]:80'])
    assert.equal(networkOf(junk, '::ffff:10.0.0.1'), '10.0.0.1', junk)
  assert.equal(networkOf('junk', undefined), 'unknown')
})
