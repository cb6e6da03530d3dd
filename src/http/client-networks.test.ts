import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { ClientNetworks } from './client-networks.ts'

const networkOf = (networks: ClientNetworks, remoteAddress: string, forwarded?: string) =>
  networks.ofRequest({
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
    socket: { remoteAddress } as Socket,
  })

test('without proxies the connection counts, whatever headers a client sends', () => {
  const networks = new ClientNetworks([])
  assert.equal(networkOf(networks, '192.0.2.1', '203.0.113.1'), '192.0.2.1')
  assert.equal(networkOf(networks, '::ffff:192.0.2.1'), '192.0.2.1')
  assert.equal(networkOf(networks, '2001:db8:1:2:3::4'), '2001:db8:1:2')
  assert.equal(networks.ofConnection('127.0.0.1'), '127.0.0.1')
})

test('through proxies the last address that is not a proxy counts', () => {
  const networks = new ClientNetworks(['loopback', '192.0.2.0/24', '2001:db8::1'])
  assert.equal(networkOf(networks, '127.0.0.1', '203.0.113.1'), '203.0.113.1')
  assert.equal(networkOf(networks, '::ffff:127.0.0.1', 'made-up, 203.0.113.1, 192.0.2.7'), '203.0.113.1')
  assert.equal(networkOf(networks, '2001:db8::1', '203.0.113.1'), '203.0.113.1')
  assert.equal(networkOf(networks, '198.51.100.1', '203.0.113.1'), '198.51.100.1')
  assert.equal(networkOf(networks, '127.0.0.1', 'nonsense'), '127.0.0.1')
  for (const proxy of ['127.0.0.1', '::1', '::ffff:192.0.2.3']) assert.equal(networks.ofConnection(proxy), undefined)
})
