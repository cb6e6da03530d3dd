import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { newSession } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

describe('the public address', { timeout: 300_000 }, () => {
  const baseUrlOf = async (server: TestApp, headers: Record<string, string>) =>
    (await server.call('GET', '/', undefined, { headers })).body.baseUrl as string
  const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'carrel.example.com' }

  test('is the address that was requested; forwarded headers of a client are not trusted', async () => {
    const server = await TestApp.start()
    try {
      assert.equal(await baseUrlOf(server, forwarded), server.url)
    } finally {
      await server.stop()
    }
  })

  test('is what a trusted proxy reports', async () => {
    const server = await TestApp.start({ env: { CARREL_TRUSTED_PROXIES: 'loopback' } })
    try {
      assert.equal(await baseUrlOf(server, forwarded), 'https://carrel.example.com')
      assert.equal(await baseUrlOf(server, {}), server.url)
    } finally {
      await server.stop()
    }
    const other = await TestApp.start({ env: { CARREL_TRUSTED_PROXIES: '10.1.2.3' } })
    try {
      assert.equal(await baseUrlOf(other, forwarded), other.url)
    } finally {
      await other.stop()
    }
  })

  test('is the setting if it is set, and previews have its scheme and port', async () => {
    const env = { CARREL_PUBLIC_URL: 'https://carrel.example.com:8443', CARREL_PREVIEW_DOMAIN: 'preview.example.com' }
    const server = await TestApp.start({ env })
    try {
      assert.equal(await baseUrlOf(server, {}), 'https://carrel.example.com:8443')
      const { body } = await server.post('/expose', { port: 8080, sessionId: newSession() })
      assert.match(body.url, /^https:\/\/8080-[0-9a-z]{20}-p8080_v1\.preview\.example\.com:8443$/)
      assert.equal(body.wsUrl, body.url.replace('https', 'wss'))
    } finally {
      await server.stop()
    }
  })
})
