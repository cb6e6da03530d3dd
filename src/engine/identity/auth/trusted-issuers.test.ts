import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT, type JWTHeaderParameters } from 'jose'
import { limits } from '../../../config/limits.ts'
import { TrustedIssuers } from './trusted-issuers.ts'

const audience = 'carrel'
const inAMinute = () => Math.floor(Date.now() / 1000) + 60
const minuteMs = 60_000

/** A fake issuer that signs any claims, with a key that can be rotated. */
async function open(t: TestContext) {
  let kid = 0
  let pair = await generateKeyPair('ES256')
  let padding = ''
  let asked = 0
  let movedMs = 0
  let connections = 0
  let hangsUp = false
  const server = createServer((request, response) => {
    void (async () => {
      if (request.url === '/keys') asked++
      const jwk = { ...(await exportJWK(pair.publicKey)), kid: String(kid), alg: 'ES256' }
      const configuration = { issuer, jwks_uri: `${issuer}/keys` }
      response.end(JSON.stringify(request.url === '/keys' ? { keys: [jwk], padding } : configuration))
    })()
  }).listen(0, '127.0.0.1')
  server.on('connection', (socket) => {
    connections++
    if (hangsUp) socket.destroy()
  })
  await once(server, 'listening')
  const stop = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  t.after(() => server.listening && stop())
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const issuers = new TrustedIssuers([{ issuer, audience }], () => Date.now() + movedMs)
  const sign = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}) => {
    const all = { iss: issuer, aud: audience, sub: 'somebody', exp: inAMinute(), ...claims }
    const head = { alg: 'ES256', kid: String(kid), ...header } as JWTHeaderParameters
    return new SignJWT(all).setProtectedHeader(head).sign(pair.privateKey)
  }
  const verify = async (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}) =>
    issuers.verify(await sign(claims, header))
  const rotate = async () => {
    kid++
    pair = await generateKeyPair('ES256')
  }
  return {
    sign,
    verify,
    verifyAgain: (token: string) => issuers.verify(token),
    rotate,
    stop,
    hangUp: () => {
      hangsUp = true
      server.closeAllConnections()
    },
    connections: () => connections,
    publicKey: () => exportJWK(pair.publicKey),
    asked: () => asked,
    pad: (bytes: number) => (padding = 'x'.repeat(bytes)),
    later: (ms: number) => (movedMs += ms),
  }
}

const unauthenticated = { code: 'unauthenticated' }

describe('TrustedIssuers', () => {
  test('says whom a token is of', async (t) => {
    const { verify } = await open(t)
    const { subject, name } = await verify({ name: 'Some Body' })
    assert.deepEqual([subject, name], ['somebody', 'Some Body'])
  })

  const now = () => Math.floor(Date.now() / 1000)
  for (const [why, claims] of Object.entries<Record<string, unknown>>({
    'an empty subject': { sub: '' },
    'a subject that is a number': { sub: 5 },
    'a subject that is too long': { sub: 'x'.repeat(256) },
    'a subject with a line break': { sub: 'some\nbody' },
    'a subject with a sign that turns the text around': { sub: 'some\u202Ebody' },
    'an end beyond all dates': { exp: 1e18 },
    'an end that is over': { exp: now() - 1 },
    'an end in two days, issued nobody knows when': { exp: now() + 48 * 3600 },
    'an issue of the day before yesterday': { iat: now() - 48 * 3600, exp: now() + 3600 },
    'an issue in the future': { iat: now() + 600, exp: now() + 3600 },
    'a use that begins later': { nbf: now() + 600, exp: now() + 3600 },
    'a time of issue that is no number': { iat: 'today' },
    'another audience': { aud: 'other' },
    'several other audiences': { aud: ['other', 'another', ` ${audience}`] },
    'an audience that holds the right one': { aud: `${audience}:refresh` },
    'no audience': { aud: undefined },
    'an event': { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } },
  }))
    test(`refuses ${why}`, async (t) => {
      const { verify } = await open(t)
      await assert.rejects(verify(claims), unauthenticated)
    })

  for (const typ of [undefined, 'JWT', 'jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt'])
    test(`accepts a token of the type ${String(typ)}`, async (t) => {
      const { verify } = await open(t)
      assert.equal((await verify({ aud: ['other', audience] }, typ === undefined ? {} : { typ })).subject, 'somebody')
    })

  for (const typ of ['rt+jwt', 'logout+jwt', 'dpop+jwt', 'secevent+jwt', 'application/logout+jwt', 'id+jwt', '', 5])
    test(`refuses a token of the type ${JSON.stringify(typ)}`, async (t) => {
      const { verify } = await open(t)
      await assert.rejects(verify({}, { typ }), unauthenticated)
    })

  test("uses only the issuer's keys, whatever the header of a token says", async (t) => {
    const { sign, verify, verifyAgain, publicKey } = await open(t)
    const token = await sign()
    const [head, payload, signature] = token.split('.') as [string, string, string]
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const other = await generateKeyPair('ES256')
    const jwk = await exportJWK(other.publicKey)
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
    const signByOther = (more: Record<string, unknown>) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: '0', ...more }).sign(other.privateKey)
    const secret = Buffer.from(JSON.stringify(await publicKey()))
    for (const [why, forged] of Object.entries({
      'of another key': await signByOther({}),
      'with its own key': await signByOther({ jwk }),
      'with an address of its keys': await signByOther({ jku: 'https://example.com/keys' }),
      'with a certificate': await signByOther({ x5c: ['MIIB'], x5u: 'https://example.com/x5u' }),
      'with a path for a key': await signByOther({ kid: '../../../dev/null' }),
      'with a query for a key': await signByOther({ kid: "0' OR '1'='1" }),
      'with a number for a key': await signByOther({ kid: 0 }),
      'by the public key as a secret': await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', kid: '0' })
        .sign(secret),
      'without a signature': `${encode({ alg: 'none' })}.${payload}.`,
      'of no algorithm, with a signature': `${encode({ alg: 'none' })}.${payload}.${signature}`,
      'with an algorithm twice': `${Buffer.from('{"alg":"none","alg":"ES256","kid":"0"}').toString('base64url')}.${payload}.${signature}`,
      'with claims twice': `${head}.${Buffer.from('{"sub":"a","sub":"b"}').toString('base64url')}.${signature}`,
    }))
      await assert.rejects(verifyAgain(forged), unauthenticated, why)
    for (const [why, crit] of Object.entries({ unknown: ['exp2'], empty: [], 'of its own': ['alg'] })) {
      const forged = `${encode({ alg: 'ES256', kid: '0', crit, exp2: 1 })}.${payload}.${signature}`
      await assert.rejects(verifyAgain(forged), unauthenticated, why)
    }
    assert.equal((await verify()).subject, 'somebody')
    assert.equal((await verifyAgain(token)).subject, 'somebody')
  })

  test('a token expires a day after it was issued, whatever its own expiry says', async (t) => {
    const { verify } = await open(t)
    const iat = now() - 3600
    assert.equal((await verify({ iat, exp: iat + 10 * 365 * 86_400 })).expiresAtMs, iat * 1000 + limits.issuerTokenMs)
    assert.equal((await verify({ iat, exp: now() + 60 })).expiresAtMs, (now() + 60) * 1000)
  })

  for (const [email, kept] of [
    ['some.body@example.com', 'some.body@example.com'],
    ['söme@example.com', 'söme@example.com'],
    ['some@example.com\r\nBcc: all@example.com', null],
    ['some@example.com\nx', null],
    ['some\u0000@example.com', null],
    ['some\u202E@example.com', null],
    ['Some Body <some@example.com>', null],
    ['some@example.com, other@example.com', null],
    [`${'x'.repeat(250)}@example.com`, null],
    [['some@example.com'], null],
  ] as const)
    test(`takes ${JSON.stringify(email).slice(0, 60)} for ${kept === null ? 'no address' : 'an address'}`, async (t) => {
      const { verify } = await open(t)
      assert.equal((await verify({ email, email_verified: true })).email, kept)
      assert.equal((await verify({ email, email_verified: 'true' })).email, null)
    })

  test('accepts tokens of a new key soon after the issuer changed it', async (t) => {
    const { verify, rotate, later } = await open(t)
    await verify({})
    await rotate()
    await assert.rejects(verify({}), unauthenticated)
    later(limits.issuerRetryMs.min)
    assert.equal((await verify({})).subject, 'somebody')
  })

  test('refuses tokens of a withdrawn key within five minutes, also those that it had verified', async (t) => {
    const { sign, verifyAgain, rotate, later } = await open(t)
    const token = await sign({ exp: now() + 3600 })
    await verifyAgain(token)
    await rotate()
    later(limits.issuerKeysMs - 1000)
    await verifyAgain(token)
    later(1000)
    await assert.rejects(verifyAgain(token), unauthenticated)
  })

  test('refuses tokens of a withdrawn key at once after fetching new keys', async (t) => {
    const { sign, verify, verifyAgain, rotate, later } = await open(t)
    const token = await sign()
    await verifyAgain(token)
    await rotate()
    later(limits.issuerRetryMs.min)
    await verify()
    await assert.rejects(verifyAgain(token), unauthenticated)
  })

  test('uses the keys of the last hour while the issuer does not answer, and no longer', async (t) => {
    const { sign, verifyAgain, stop, later } = await open(t)
    const token = await sign({ exp: now() + 3600 })
    await verifyAgain(token)
    await stop()
    for (let minutes = 0; minutes < 59; minutes += 10) {
      later(9.9 * minuteMs)
      assert.equal((await verifyAgain(token)).subject, 'somebody')
    }
    later(minuteMs)
    await assert.rejects(verifyAgain(token), { code: 'unavailable' })
  })

  test('fetches keys seldom for tokens that name unknown keys', async (t) => {
    const { sign, verify, verifyAgain, asked, later } = await open(t)
    await verify()
    const forged = await Promise.all(Array.from({ length: 50 }, (_, index) => sign({}, { kid: `made-up-${index}` })))
    const all = () => Promise.allSettled(forged.map((token) => verifyAgain(token)))
    await all()
    assert.equal(asked(), 1)
    for (let seconds = 0; seconds < 600; seconds++) {
      later(1000)
      await Promise.allSettled([verifyAgain(forged[seconds % 50]!), verifyAgain(forged[0]!)])
    }
    assert.ok(asked() > 5 && asked() < 20, `it was asked ${asked()} times within ten minutes`)
    for (const { status } of await all()) assert.equal(status, 'rejected')
    assert.equal((await verify()).subject, 'somebody')
  })

  test('fetches keys seldom from an issuer that does not answer', async (t) => {
    const { sign, verifyAgain, hangUp, connections, later } = await open(t)
    const token = await sign()
    hangUp()
    for (let count = 0; count < 200; count++) await assert.rejects(verifyAgain(token), { code: 'unavailable' })
    const soon = connections()
    assert.ok(soon < 20, `it was asked ${soon} times`)
    later(limits.issuerRetryMs.max)
    await assert.rejects(verifyAgain(token), { code: 'unavailable' })
    assert.ok(connections() > soon)
  })

  test('reads no answer that is larger than the limit for keys', async (t) => {
    const { verify, pad } = await open(t)
    pad(limits.issuerAnswerBytes)
    await assert.rejects(verify(), { code: 'unavailable' })
  })
})
