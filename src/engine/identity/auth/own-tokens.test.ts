import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { generateKeyPair, SignJWT } from 'jose'
import { newSecret } from '../accounts/tokens.ts'
import { AccessTokens } from './access-tokens.ts'
import { OwnTokens } from './own-tokens.ts'
import { createSigningKey, importSigningKey } from './signing-key.ts'
import { TrustedIssuers } from './trusted-issuers.ts'
import { cpuMsDuring } from '../../../../test/support/cpu-ms-during.ts'

const issuer = 'https://issuer.example.com'
const audience = 'https://carrel.example.com'

describe('OwnTokens', () => {
  let accessTokens: AccessTokens
  let own: OwnTokens
  const accessTokensOf = async () =>
    new AccessTokens(await importSigningKey(await createSigningKey()), () => 'http://localhost')
  const jwtOf = async (claims: { issuer: string; audience: string | string[] }) => {
    const { privateKey } = await generateKeyPair('ES256')
    const jwt = new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid: 'x' })
    return jwt.setIssuer(claims.issuer).setAudience(claims.audience).sign(privateKey)
  }

  before(async () => {
    accessTokens = await accessTokensOf()
    own = new OwnTokens(accessTokens, new TrustedIssuers([{ issuer, audience }]))
  })

  test('recognizes secrets anywhere in a text, and for any workspace', () => {
    const secret = newSecret('session')
    const key = newSecret('api_key')
    for (const text of [secret, key, `Bearer ${secret}`, `a=1; t=${key}~w1; b=2`, `/x?token=${key}%7Ew1&y=1`])
      assert.ok(own.isIn(text), text)
    assert.ok(own.isIn(`Bearer%20${key}`))
    assert.ok(own.isIn(`pp_ws_${'a'.repeat(43)}`))
  })

  test('recognizes percent-encoded secrets, also next to invalid encodings', () => {
    const secret = newSecret('session')
    const all = secret.replaceAll(/./g, (letter) => `%${letter.charCodeAt(0).toString(16)}`)
    const twice = secret.replace('_', '%255F')
    for (const text of [
      secret.replaceAll('_', '%5F'),
      `%70${secret.slice(1)}`,
      all,
      twice,
      `x=100%&t=${all}`,
      `%zz%${all}`,
    ])
      assert.ok(own.isIn(text), text)
    assert.ok(!own.isIn('100%25 of pp%5Fsessions, ak%5Fkey'))
  })

  test('recognizes access and refresh tokens of its own key', async () => {
    assert.ok(own.isIn(`Bearer ${await accessTokens.issue('u', 'f')}`))
    const refresh = await accessTokens.issueRefresh('u', 'f', { id: 'i', endsAtMs: Date.now() + 1000 })
    assert.ok(own.isIn(`{"refresh_token":"${refresh}"}`))
    assert.ok(own.isIn(`t=Bearer%20${refresh}`))
  })

  test("recognizes a trusted issuer's tokens for this server", async () => {
    assert.ok(own.isIn(await jwtOf({ issuer, audience })))
    assert.ok(own.isIn(`%22${await jwtOf({ issuer, audience: ['other', audience] })}%22`))
    assert.ok(!own.isIn(await jwtOf({ issuer, audience: 'https://guest.example.com' })))
    assert.ok(!own.isIn(await jwtOf({ issuer: 'https://other.example.com', audience })))
  })

  test('does not take tokens of others for its own', async () => {
    const other = await accessTokensOf()
    for (const text of [
      await other.issue('u', 'f'),
      'ak_short',
      `speak_${'a'.repeat(43)}`,
      'app_session=1',
      'eyJ',
      '%zz',
    ])
      assert.ok(!own.isIn(text), text)
    assert.ok(!own.isIn(`ak_${'a'.repeat(44)}`))
  })

  test('is quick on text that is made to keep it busy', () => {
    const tookMs = cpuMsDuring(() => {
      for (const text of ['eyJ', 'eyJ.', 'ak_', '.eyJ', 'eyJa.a'])
        assert.ok(!own.isIn(text.repeat(16_384 / text.length)))
    })
    assert.ok(tookMs < 1000, `it took ${tookMs} ms of a processor`)
  })
})
