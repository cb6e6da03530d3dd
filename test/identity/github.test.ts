import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createLocalJWKSet, createRemoteJWKSet, decodeJwt, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { limits } from '../../src/config/limits.ts'
import { testDataDirectory } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'
import { withDatabase } from '../support/with-database.ts'
import { GithubServer, type GithubUser } from './github-server.ts'
import { newAddress, signInByMail } from './outbox.ts'

describe('signing in by GitHub', { timeout: 300_000 }, () => {
  let github: GithubServer
  let server: TestApp
  const start = async () => {
    server = await TestApp.start({
      env: {
        CARREL_GITHUB_URL: github.url,
        CARREL_GITHUB_CLIENT_ID: github.clientId,
        CARREL_GITHUB_CLIENT_SECRET: github.clientSecret,
        CARREL_SIGN_INS_PER_MINUTE: '0',
      },
    })
  }
  const restart = async () => {
    await server.stop('SIGKILL')
    await start()
  }
  before(async () => {
    github = await GithubServer.start()
    await start()
  })
  after(async () => {
    await server.stop()
    await github.stop()
  })

  const newUser = (email = newAddress()): GithubUser => ({
    id: Math.floor(Math.random() * 2 ** 40),
    login: 'octo',
    name: 'Octo Person',
    emails: [
      { email: 'unverified@example.com', primary: false, verified: false },
      { email, primary: true, verified: true },
    ],
  })
  const exchange = (code: string) => server.post('/auth/github', { code, state: null }, { token: null })
  const signIn = async (user = newUser()) => (await exchange(github.codeFor(user))).body
  const refresh = (token: string) => server.post('/auth/refresh', { refresh_token: token }, { token: null })
  const me = (token: string) => server.call('GET', '/users/me', undefined, { token })

  test('a code gives both tokens, and the access token works on every surface', async () => {
    const user = newUser()
    const { status, body } = await exchange(github.codeFor(user))
    assert.equal(status, 200)
    assert.deepEqual([body.token_type, body.expires_in, body.is_new_user], ['Bearer', 3600, true])
    const { body: profile } = await me(body.access_token)
    assert.deepEqual(
      [profile.user_id, profile.name, profile.email, profile.github_id],
      [body.user_id, 'Octo Person', user.emails[1]!.email, String(user.id)],
    )
    assert.equal((await server.post('/memory/usage', {}, { token: body.access_token })).status, 200)
    assert.equal((await me(body.refresh_token)).status, 401)
  })

  test('a user is recognized by the number, whatever the name and address become', async () => {
    const user = newUser()
    const first = await signIn(user)
    const again = await signIn({ ...newUser(), id: user.id, login: 'renamed' })
    assert.deepEqual([again.user_id, again.is_new_user], [first.user_id, false])
  })

  test('a verified address that signed in by mail is the same user; an unverified one is not', async () => {
    const address = newAddress()
    const { body: byMail } = await me(await signInByMail(server, address))
    const same = await signIn(newUser(address))
    assert.deepEqual([same.user_id, same.is_new_user], [byMail.user_id, false])
    const thief = newUser()
    thief.emails[0] = { email: address, primary: false, verified: false }
    assert.notEqual((await signIn(thief)).user_id, byMail.user_id)
  })

  test('a user without a verified address is refused', async () => {
    const user = newUser()
    user.emails = [{ email: newAddress(), primary: true, verified: false }]
    const { status, body } = await exchange(github.codeFor(user))
    assert.deepEqual([status, body.code], [403, 'FORBIDDEN'])
  })

  test("a code that GitHub rejects with 200 is the caller's fault; a code works once", async () => {
    const code = github.codeFor(newUser())
    assert.equal((await exchange(code)).status, 200)
    for (const wrong of [code, 'made-up']) {
      const { status, body } = await exchange(wrong)
      assert.deepEqual([status, body.code], [401, 'UNAUTHENTICATED'])
    }
  })

  test('a refresh token that a program keeps gives access tokens repeatedly, also across a restart', async () => {
    const first = await signIn()
    const given = new Set<string>()
    for (let use = 0; use < 6; use++) {
      if (use === 4) await restart()
      const { status, body } = await refresh(first.refresh_token)
      assert.deepEqual([status, body.token_type, body.expires_in], [200, 'Bearer', 3600])
      assert.equal((await me(body.access_token)).body.user_id, first.user_id)
      given.add(body.refresh_token)
    }
    assert.equal(given.size, 6)
    assert.equal((await me(first.access_token)).status, 200)
  })

  test('a program that uses each new refresh token stays signed in, also across a restart', async () => {
    let { refresh_token: token } = await signIn()
    for (let use = 0; use < 4; use++) {
      if (use === 2) await restart()
      const { status, body } = await refresh(token)
      assert.equal(status, 200)
      assert.notEqual(body.refresh_token, token)
      token = body.refresh_token
    }
  })

  test('a request can be repeated after a lost answer, until the new token is used', async () => {
    const { refresh_token: first } = await signIn()
    await refresh(first)
    const { body: second } = await refresh(first)
    await refresh(second.refresh_token)
    const { status, body: third } = await refresh(second.refresh_token)
    assert.equal(status, 200)
    assert.equal((await refresh(third.refresh_token)).status, 200)
  })

  /** Asserts what the use of a replaced token has to cause. */
  const endsAll = async (stolen: string, others: { access_token: string; refresh_token: string }[]) => {
    assert.equal((await refresh(stolen)).status, 401)
    for (const { access_token: access, refresh_token: token } of others)
      assert.deepEqual([(await me(access)).status, (await refresh(token)).status], [401, 401])
  }

  test('a token that is used after its replacement ends the whole sign-in, and no other one', async () => {
    const user = newUser()
    const other = await signIn(user)
    const first = await signIn(user)
    const { body: second } = await refresh(first.refresh_token)
    const { body: third } = await refresh(second.refresh_token)
    assert.equal((await me(third.access_token)).status, 200)
    await endsAll(first.refresh_token, [first, second, third])
    assert.equal((await me(other.access_token)).status, 200)
    assert.equal((await refresh(other.refresh_token)).status, 200)
  })

  test('of two tokens that were issued for the same one at different times, the second to be used ends the sign-in', async () => {
    for (const apartMs of [-limits.siblingTokensMs - 2000, limits.siblingTokensMs + 2000]) {
      const first = await signIn()
      const { body: own } = await refresh(first.refresh_token)
      const { body: stolen } = await refresh(first.refresh_token)
      assert.equal((await refresh(own.refresh_token)).status, 200)
      const id = decodeJwt<{ sid: string }>(own.refresh_token).sid
      await withDatabase((db) =>
        db
          .updateTable('tokens')
          .set({ given_at: Date.now() + apartMs })
          .where('id', '=', id)
          .execute(),
      )
      await endsAll(stolen.refresh_token, [first, own, stolen])
    }
  })

  test('two programs that refresh one token at the same time can both continue with what they got, repeatedly', async () => {
    const first = await signIn()
    let tokens = [first.refresh_token, first.refresh_token] as string[]
    for (let round = 0; round < 4; round++) {
      if (round === 2) await restart()
      const answers = await Promise.all(tokens.map((token) => refresh(token)))
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 200],
      )
      tokens = answers.map(({ body }) => body.refresh_token)
      assert.notEqual(tokens[0], tokens[1])
    }
    const pairs = await Promise.all(tokens.map(async (token) => (await refresh(token)).body))
    for (const pair of pairs) assert.equal((await me(pair.access_token)).status, 200)
    // The token that the last ones were issued for is still invalid.
    await endsAll(first.refresh_token, pairs)
  })

  test('a thief who uses the new token is revealed by the program that uses the old one', async () => {
    const kept = await signIn()
    const { body: stolen } = await refresh(kept.refresh_token)
    const { body: next } = await refresh(stolen.refresh_token)
    await endsAll(kept.refresh_token, [kept, stolen, next])
  })

  test('a stolen token gives nothing more after a restart', async () => {
    const first = await signIn()
    const { body: second } = await refresh(first.refresh_token)
    const { body: third } = await refresh(second.refresh_token)
    await restart()
    await endsAll(first.refresh_token, [first, second, third])
  })

  test('signing out ends a token family, and no other sign-in', async () => {
    const user = newUser()
    const other = await signIn(user)
    const { access_token: access, refresh_token: token } = await signIn(user)
    const out = () => server.call('DELETE', '/users/me/sessions/current', undefined, { token: access })
    assert.deepEqual([(await out()).status, (await out()).status], [200, 401])
    assert.deepEqual([(await me(access)).status, (await refresh(token)).status], [401, 401])
    assert.equal((await me(other.access_token)).status, 200)
  })

  test('twenty refreshes at the same time all succeed, and all their tokens are valid until a later one is used', async () => {
    const { refresh_token: token } = await signIn()
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(token)))
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
    for (const { body } of answers) assert.equal((await refresh(body.refresh_token)).status, 200)
    const { body: next } = await refresh(answers[0]!.body.refresh_token)
    assert.equal((await refresh(next.refresh_token)).status, 200)
    // From here on all twenty are invalid, like the one that they were issued for.
    await endsAll(answers[1]!.body.refresh_token, [next])
  })

  test('a refresh token is a JWT of the server that authenticates no request, and is not in the database', async () => {
    const { access_token: access, refresh_token: token, user_id: userId } = await signIn()
    const { body: jwks } = await server.call('GET', '/.well-known/jwks.json', undefined, { token: null })
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(jwks), { audience: 'carrel:refresh' })
    assert.deepEqual([protectedHeader.typ, payload.sub], ['rt+jwt', userId])
    assert.ok(Math.abs(payload.exp! - payload.iat! - 30 * 24 * 3600) <= 2)
    for (const one of [token, payload.jti!, `${token}~${userId}`]) assert.equal((await me(one)).status, 401)
    assert.equal((await refresh(access)).status, 401)
    const rows = await withDatabase(async (db) => [
      ...(await db.selectFrom('tokens').selectAll().execute()),
      ...(await db.selectFrom('spent_refresh_tokens').selectAll().execute()),
    ])
    assert.ok(!JSON.stringify(rows).includes(payload.jti!))
    assert.equal((await refresh(token)).status, 200)
  })

  test('a forged refresh token is refused, and harms no sign-in', async () => {
    const { refresh_token: token } = await signIn()
    const claims = decodeJwt(token)
    const { privateKey } = await generateKeyPair('ES256')
    const forged = {
      'of another key': await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ: 'rt+jwt' }).sign(privateKey),
      'its id alone': claims.jti!,
      'its id as one of before': `rt_${claims.jti!}`,
      'with another id': token.replace(
        /\..*\./,
        `.${Buffer.from(JSON.stringify({ ...claims, jti: 'x' })).toString('base64url')}.`,
      ),
    }
    for (const [why, one] of Object.entries(forged)) assert.equal((await refresh(one)).status, 401, why)
    assert.equal((await refresh(token)).status, 200)
  })

  test('a refresh token from before they were JWTs works once more, and gives a JWT', async () => {
    const { refresh_token: token, access_token: access } = await signIn()
    const old = `rt_${randomBytes(32).toString('base64url')}`
    await withDatabase((db) =>
      db
        .updateTable('tokens')
        .set({ hash: createHash('sha256').update(old).digest('hex') })
        .where('id', '=', decodeJwt<{ sid: string }>(token).sid)
        .execute(),
    )
    const { status, body } = await refresh(old)
    assert.equal(status, 200)
    assert.match(body.refresh_token, /^eyJ/)
    assert.equal((await refresh(old)).status, 401, 'it was spent: the sign-in ends')
    assert.equal((await me(access)).status, 401)
    assert.equal((await refresh(body.refresh_token)).status, 401)
  })

  test('either "token" or "refresh_token" can be sent', async () => {
    for (const body of [{}, { token: 'a', refresh_token: 'b' }])
      assert.equal((await server.post('/auth/refresh', body, { token: null })).status, 400)
  })

  test('others verify access tokens by discovery and JWKS', async () => {
    const { access_token: token, user_id: userId } = await signIn()
    const { body: discovery } = await server.call('GET', '/.well-known/openid-configuration', undefined, {
      token: null,
    })
    const keys = createRemoteJWKSet(new URL(discovery.jwks_uri))
    const { payload } = await jwtVerify(token, keys, { issuer: discovery.issuer, audience: 'carrel' })
    assert.deepEqual([payload.sub, payload.exp! - payload.iat!], [userId, 3600])
    const { body: jwks } = await server.call('GET', '/.well-known/jwks.json', undefined, { token: null })
    assert.equal(jwks.keys[0].d, undefined)
    assert.equal(statSync(join(testDataDirectory, 'secret.key')).mode & 0o777, 0o600)
  })

  test('a forged access token is refused', async () => {
    const { access_token: token } = await signIn()
    const claims = decodeJwt(token)
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const sign = (alg: string, key: Parameters<SignJWT['sign']>[0], more = {}) =>
      new SignJWT({ ...claims, ...more }).setProtectedHeader({ alg, typ: 'at+jwt' }).sign(key)
    const { body: jwks } = await server.call('GET', '/.well-known/jwks.json', undefined, { token: null })
    const [head, , signature] = token.split('.')
    const none = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url')
    const forged = {
      'of another key': await sign('ES256', privateKey),
      'by the public key as a secret': await sign('HS256', Buffer.from(JSON.stringify(jwks.keys[0]).padEnd(32))),
      'without a signature': `${none({ alg: 'none', typ: 'at+jwt' })}.${none(claims)}.`,
      'with an empty signature': `${none({ alg: 'none', typ: 'at+jwt' })}.${none(claims)}.AA`,
      'with other claims': `${head}.${none({ ...claims, exp: claims.exp! + 1 })}.${signature}`,
      'with a key of its own': await new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', jwk: await exportJWK(publicKey) })
        .sign(privateKey),
    }
    for (const [why, one] of Object.entries(forged)) assert.equal((await me(one)).status, 401, why)
    assert.equal((await me(token)).status, 200)
  })
})

test('GitHub that is not configured is reported with the settings, and logs no errors', async () => {
  const server = await TestApp.start({ env: { CARREL_GITHUB_CLIENT_ID: 'an-id', CARREL_LOG_LEVEL: 'info' } })
  const { status, body } = await server.post('/auth/github', { code: 'x' }, { token: null })
  assert.deepEqual([status, body.code, body.retryable, body.action], [501, 'NOT_SET_UP', false, 'ASK_OPERATOR'])
  assert.deepEqual(body.settings, ['CARREL_GITHUB_CLIENT_ID', 'CARREL_GITHUB_CLIENT_SECRET'])
  await server.stop()
  assert.match(server.log(), /"level":30,.*"code":"not_set_up"/)
  assert.doesNotMatch(server.log(), /"level":50/)
})

test("GitHub that refuses the client or does not answer is not the caller's fault", async () => {
  const github = await GithubServer.start()
  const env = { CARREL_GITHUB_URL: github.url, CARREL_GITHUB_CLIENT_ID: github.clientId }
  const refusing = await TestApp.start({ env: { ...env, CARREL_GITHUB_CLIENT_SECRET: 'wrong' } })
  const { status, body } = await refusing.post('/auth/github', { code: 'x' }, { token: null })
  assert.deepEqual([status, body.code, body.retryable], [503, 'UNAVAILABLE', true])
  await refusing.stop()
  await github.stop()
  const server = await TestApp.start({ env: { ...env, CARREL_GITHUB_CLIENT_SECRET: github.clientSecret } })
  assert.equal((await server.post('/auth/github', { code: 'x' }, { token: null })).status, 503)
  assert.ok(!server.log().includes(github.clientSecret))
  await server.stop()
})
