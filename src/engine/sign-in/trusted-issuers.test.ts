import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, test, type TestContext } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { TrustedIssuers } from './trusted-issuers.ts'

const audience = 'carrel'

/** An issuer that says whatever it is told to, with a key that can be changed. */
async function open(t: TestContext) {
  let kid = 0
  let pair = await generateKeyPair('ES256')
  const server = createServer((request, response) => {
    void (async () => {
      const jwk = { ...(await exportJWK(pair.publicKey)), kid: String(kid), alg: 'ES256' }
      const configuration = { issuer, jwks_uri: `${issuer}/keys` }
      response.end(JSON.stringify(request.url === '/keys' ? { keys: [jwk] } : configuration))
    })()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const issuers = new TrustedIssuers([{ issuer, audience }])
  const verify = async (claims: Record<string, unknown>) => {
    const all = { iss: issuer, aud: audience, sub: 'somebody', exp: Math.floor(Date.now() / 1000) + 60, ...claims }
    const token = await new SignJWT(all).setProtectedHeader({ alg: 'ES256', kid: String(kid) }).sign(pair.privateKey)
    return issuers.verify(token)
  }
  const rotate = async () => {
    kid++
    pair = await generateKeyPair('ES256')
  }
  return { verify, rotate }
}

describe('TrustedIssuers', () => {
  test('says whom a token is of', async (t) => {
    const { verify } = await open(t)
    const { subject, name } = await verify({ name: 'Some Body' })
    assert.deepEqual([subject, name], ['somebody', 'Some Body'])
  })

  for (const [why, claims] of Object.entries({
    'an empty subject': { sub: '' },
    'a subject that is a number': { sub: 5 },
    'a subject that is too long': { sub: 'x'.repeat(256) },
    'an end beyond all dates': { exp: 1e18 },
  }))
    test(`refuses ${why}`, async (t) => {
      const { verify } = await open(t)
      await assert.rejects(verify(claims), { code: 'unauthenticated' })
    })

  test('takes tokens of a new key soon after the issuer changed it', async (t) => {
    const { verify, rotate } = await open(t)
    await verify({})
    await rotate()
    const beganMs = performance.now()
    while (
      await verify({}).then(
        () => false,
        () => true,
      )
    ) {
      assert.ok(performance.now() - beganMs < 5_000, 'still refused after five seconds')
      await delay(100)
    }
  })
})
