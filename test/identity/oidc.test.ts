import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { decodeJwt, generateKeyPair, SignJWT } from 'jose'
import { Provider } from 'oidc-provider'
import { TestServer } from '../support/server.ts'

const audience = 'https://carrel.example.com'

/** A real OpenID provider, whose clients get JWTs of their own by their secret. */
class Issuer {
  readonly url: string
  readonly #server: Server

  private constructor(url: string, server: Server) {
    this.url = url
    this.#server = server
  }

  static async start(): Promise<Issuer> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const provider = new Provider(url, {
      clients: ['first', 'second', 'third'].map((id) => ({
        client_id: id,
        client_secret: 'secret',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      })),
      features: {
        clientCredentials: { enabled: true },
        devInteractions: { enabled: false },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: (_context, resource) => ({
            scope: '',
            audience: resource,
            accessTokenTTL: 600,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'RS256' } },
          }),
        },
      },
    })
    const handle = provider.callback()
    server.on('request', (request, response) => void handle(request, response))
    return new Issuer(url, server)
  }

  async tokenFor(client: string, resource = audience): Promise<string> {
    const response = await fetch(`${this.url}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${client}:secret`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
    })
    const { access_token: token } = (await response.json()) as { access_token: string }
    return token
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

describe('JWTs of an OpenID issuer', { timeout: 60_000 }, () => {
  let issuer: Issuer
  let stranger: Issuer
  /** A token whose issuer does not answer any more. */
  let orphan: string
  let server: TestServer
  before(async () => {
    issuer = await Issuer.start()
    stranger = await Issuer.start()
    const gone = await Issuer.start()
    orphan = await gone.tokenFor('first')
    await gone.stop()
    server = await TestServer.start({
      env: { CARREL_OIDC_ISSUERS: `${issuer.url}=${audience} ${gone.url}=${audience}` },
    })
  })
  after(async () => {
    await server.stop()
    await issuer.stop()
    await stranger.stop()
  })

  const me = (token: string) => server.call('GET', '/v1/me', undefined, { token })

  test('are bearer tokens on every surface, of the person that "sub" names', async () => {
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

  test('twenty first requests at the same time make one person', async () => {
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
      'of an issuer that is not named': await stranger.tokenFor('first'),
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

  test('an issuer that is gone is no fault of the caller', async () => {
    const { status, body } = await me(orphan)
    assert.deepEqual([status, body.code], [503, 'UNAVAILABLE'])
  })
})
