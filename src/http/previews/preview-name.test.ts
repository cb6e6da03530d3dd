import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isUnderPreviewDomain, parsePreviewHost, previewUrls } from './preview-name.ts'

const id = '0123456789abcdefghjk'

describe('parsePreviewHost()', () => {
  for (const [host, domain, port] of [
    [`80-${id}-p80_v1.localhost`, 'localhost', 80],
    [`80-${id}-p80_v1.localhost:4280`, 'localhost', 80],
    [`80-${id}-p80_v1.localhost.`, 'localhost', 80],
    [`80-${id.toUpperCase()}-P80_V1.LOCALHOST`, 'localhost', 80],
    [`65535-${id}-p65535_v1.preview.example.org`, 'preview.example.org', 65_535],
    [`1-${id}-p1_v1.localhost`, 'localhost', 1],
  ] as const)
    test(`reads ${host}`, () => assert.deepEqual(parsePreviewHost(host, domain), { port, computerId: id }))

  for (const host of [
    undefined,
    '',
    '.localhost',
    'localhost',
    `080-${id}-p80_v1.localhost`,
    `80-${id}-p080_v1.localhost`,
    `080-${id}-p080_v1.localhost`,
    `81-${id}-p80_v1.localhost`,
    `0-${id}-p0_v1.localhost`,
    `65536-${id}-p65536_v1.localhost`,
    `100000-${id}-p100000_v1.localhost`,
    `80-${id}-p80_v2.localhost`,
    `80-${id}-p80_v1.localhost.evil.org`,
    `80-${id}-p80_v1.evillocalhost`,
    `80-${id}-p80_v1localhost`,
    `x.80-${id}-p80_v1.localhost`,
    `80-${id}x-p80_v1.localhost`,
    `80-${id.slice(1)}-p80_v1.localhost`,
    `80-${id}-p80_v1\n.localhost`,
    `80-${id}-p80_v1.localhost:80:80`,
    `80-${id}-p80_v1 .localhost`,
    `-80-${id}-p-80_v1.localhost`,
    `٨٠-${id}-p٨٠_v1.localhost`,
  ])
    test(`rejects ${JSON.stringify(host)}`, () => assert.equal(parsePreviewHost(host, 'localhost'), undefined))

  test('returns the port and id of each URL that is issued', () => {
    for (const port of [1, 80, 8080, 65_535])
      for (const previewDomain of ['localhost', 'dev.localhost', 'preview.example']) {
        const { url, wsUrl } = previewUrls({ previewDomain, port: 4280, publicUrl: undefined }, id, port)
        for (const address of [url, wsUrl])
          assert.deepEqual(parsePreviewHost(new URL(address).host, previewDomain), { port, computerId: id })
      }
  })
})

describe('isUnderPreviewDomain()', () => {
  test('is true for every name below the domain, and not for the domain itself', () => {
    for (const host of ['x.localhost', 'X.LocalHost.', 'a.b.localhost:80', '.localhost'])
      assert.equal(isUnderPreviewDomain(host, 'localhost'), true, host)
    for (const host of ['localhost', 'localhost:80', 'xlocalhost', 'x.localhost.org', '', undefined])
      assert.equal(isUnderPreviewDomain(host, 'localhost'), false, String(host))
  })
})

describe('previewUrls()', () => {
  test('gives a preview one DNS label of at most 63 characters', () => {
    const { hostname } = new URL(
      previewUrls({ previewDomain: 'localhost', port: 1, publicUrl: undefined }, id, 65_535).url,
    )
    assert.ok(hostname.split('.')[0]!.length <= 63)
  })

  test('uses the port of the server for a local domain, and https without a port for any other', () => {
    assert.deepEqual(previewUrls({ previewDomain: 'localhost', port: 4280, publicUrl: undefined }, id, 80), {
      url: `http://80-${id}-p80_v1.localhost:4280`,
      wsUrl: `ws://80-${id}-p80_v1.localhost:4280`,
    })
    assert.deepEqual(previewUrls({ previewDomain: 'a.example', port: 4280, publicUrl: undefined }, id, 80), {
      url: `https://80-${id}-p80_v1.a.example`,
      wsUrl: `wss://80-${id}-p80_v1.a.example`,
    })
  })

  test('uses the scheme and port of the public URL where one is set', () => {
    for (const [publicUrl, url, wsUrl] of [
      ['https://x.org', 'https://80-ID-p80_v1.a.example', 'wss://80-ID-p80_v1.a.example'],
      ['https://x.org:8443', 'https://80-ID-p80_v1.a.example:8443', 'wss://80-ID-p80_v1.a.example:8443'],
      ['http://x.org:81', 'http://80-ID-p80_v1.a.example:81', 'ws://80-ID-p80_v1.a.example:81'],
    ] as const)
      assert.deepEqual(previewUrls({ previewDomain: 'a.example', port: 4280, publicUrl }, id, 80), {
        url: url.replace('ID', id),
        wsUrl: wsUrl.replace('ID', id),
      })
  })
})
