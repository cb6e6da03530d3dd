import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { decodeJwt, generateKeyPair, SignJWT } from 'jose'
import { TestApp } from '../support/test-app.ts'
import { audience, Issuer } from './issuer.ts'

describe('JWTs of an OpenID issuer', { timeout: 300_000 }, () => {
  let issuer: Issuer
  let untrusted: Issuer
  /** A token of an issuer that does not answer any more. */
  let orphan: string
  let server: TestApp
  before(async () => {
    issuer = await Issuer.start()
    untrusted = await Issuer.start()
    const gone = await Issuer.start()
    orphan = await gone.tokenFor('first')
    await gone.stop()
    server = await TestApp.start({
      env: { CARREL_OIDC_ISSUERS: `${issuer.url}=${audience} ${gone.url}=${audience}` },
    })
  })
  after(async () => {
    await server.stop()
    await issuer.stop()
    await untrusted.stop()
  })

  const me = (token: string) => server.call('GET', '/v1/me', undefined, { token })

  test('are bearer tokens on every surface, of the user that "sub" names', async () => {
    const token = await issuer.tokenFor('first')
    const { status, body } = await me(token)
    assert.deepEqual([status, body.name], [200, 'first'])
    assert.equal((await server.post('/memory/write', { path: 'a', content: 'b' }, { token })).status, 200)
    const again = await issuer.tokenFor('first')
    assert.notEqual(again, token)
    assert.equal((await me(again)).body.id, body.id)
    const { body: second } = await me(await issuer.tokenFor('second'))
    assert.notEqual(second.id, body.id)
  })

  test('twenty first requests at the same time create one user', async () => {
    const token = await issuer.tokenFor('third')
    const answers = await Promise.all(Array.from({ length: 20 }, () => me(token)))
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
    assert.equal(new Set(answers.map(({ body }) => body.id)).size, 1)
  })

  test('are refused for another audience, of another issuer, or forged', async () => {
    const good = await issuer.tokenFor('first')
    const claims = decodeJwt(good)
    const { privateKey } = await generateKeyPair('RS256')
    const forge = (alg: string, key: Parameters<SignJWT['sign']>[0]) =>
      new SignJWT(claims).setProtectedHeader({ alg }).sign(key)
    const [head, , signature] = good.split('.')
    const renamed = Buffer.from(JSON.stringify({ ...claims, sub: 'second' })).toString('base64url')
    const refused = {
      'for another audience': await issuer.tokenFor('first', 'https://other.example.com'),
      'of an untrusted issuer': await untrusted.tokenFor('first'),
      'of another key': await forge('RS256', privateKey),
      'by a shared secret': await forge('HS256', new TextEncoder().encode('x'.repeat(32))),
      'with another "sub"': `${head}.${renamed}.${signature}`,
    }
    for (const [why, token] of Object.entries(refused)) {
      const { status, body } = await me(token)
      assert.deepEqual([status, body.code], [401, 'UNAUTHENTICATED'], why)
    }
    assert.equal((await me(good)).status, 200)
  })

  test("an issuer that does not answer is not the caller's fault", async () => {
    const { status, body } = await me(orphan)
    assert.deepEqual([status, body.code], [503, 'UNAVAILABLE'])
  })
})
