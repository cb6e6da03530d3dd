import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { assertWholePage } from '../support/assert-html.ts'
import { BrowserPage, noBrowser } from '../support/browser.ts'
import { until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'
import { GithubServer } from './github-server.ts'
import { askForLink, newAddress, signInByMail } from './outbox.ts'

const callback_url = 'http://127.0.0.1:4000/callback?from=cli'
const asked = { callback_url, state: 'state of the program' }
const query = (values: Record<string, string>) => new URLSearchParams(values).toString()

describe('the browser sign-in of a command line', { timeout: 120_000 }, () => {
  let server: TestApp
  let github: GithubServer
  before(async () => {
    github = await GithubServer.start()
    server = await TestApp.start({
      env: {
        CARREL_SIGN_INS_PER_MINUTE: '0',
        CARREL_GITHUB_URL: github.url,
        CARREL_GITHUB_CLIENT_ID: github.clientId,
        CARREL_GITHUB_CLIENT_SECRET: github.clientSecret,
      },
    })
  })
  after(async () => {
    await server.stop()
    await github.stop()
  })

  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(server.url + path, {
      headers: { accept: 'text/html', ...headers },
      redirect: 'manual',
    })
    return { status: response.status, headers: response.headers, page: await response.text() }
  }
  const submit = async (path: string, form: Record<string, string>, headers: Record<string, string> = {}) => {
    const response = await fetch(`${server.url}/api/cli/auth${path}`, {
      method: 'POST',
      headers: { accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: query(form),
      redirect: 'manual',
    })
    return { status: response.status, headers: response.headers, page: await response.text() }
  }
  const valueOf = (page: string, name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? ''
  /** Agrees to what a page asks; returns what the browser is led to. */
  const agree = async (page: string, more: Record<string, string> = {}) => {
    const form = { approval: valueOf(page, 'approval'), workspace: valueOf(page, 'workspace'), name: 'My laptop' }
    const { status, headers } = await submit('/answer', { ...form, answer: 'agree', ...more })
    return { status, headers, to: new URL(headers.get('location') ?? 'none:') }
  }
  const me = (token: string) => server.call('GET', '/v1/me', undefined, { token })
  const keysOf = async (token: string) => (await server.call('GET', '/users/me/api-keys', undefined, { token })).body

  test('a token is exchanged for a named key, sent to the callback alone', async () => {
    const token = await signInByMail(server)
    const first = await get(`/api/cli/auth?${query(asked)}`)
    assert.equal(first.status, 200)
    assertWholePage(first.page)
    assert.match(first.page, /127\.0\.0\.1:4000/)
    const question = await submit('', { ...asked, token: ` ${token}\n` })
    assertWholePage(question.page)
    assert.ok(!question.page.includes(token))
    const policy = question.headers.get('content-security-policy')!
    assert.match(policy, /form-action 'self' http:\/\/127\.0\.0\.1:4000;.*frame-ancestors 'none'/)
    assert.match(question.page, /You are signed in as <strong>person-/)
    const { status, headers, to } = await agree(question.page)
    assert.deepEqual(
      [status, headers.get('referrer-policy'), headers.get('cache-control')],
      [303, 'no-referrer', 'no-store'],
    )
    assert.equal(to.origin + to.pathname, 'http://127.0.0.1:4000/callback')
    assert.deepEqual([to.searchParams.get('from'), to.searchParams.get('state')], ['cli', asked.state])
    const key = to.searchParams.get('api_key')!
    assert.match(key, /^ak_[\w-]{43}$/)
    assert.equal((await me(key)).body.auth_method, 'api_key')
    assert.match(JSON.stringify(await keysOf(token)), /"My laptop"/)
    assert.ok(!server.log().includes(key))
    assert.equal((await me(token)).status, 200)
  })

  test('a page is used once: the same answer gets no second key', async () => {
    const { page } = await submit('', { ...asked, token: await signInByMail(server) })
    assert.equal((await agree(page)).status, 303)
    const again = await agree(page)
    assert.deepEqual([again.status, again.headers.get('location')], [401, null])
  })

  test('a person who cancels gets no key, and the program learns of it', async () => {
    const token = await signInByMail(server)
    const { page } = await submit('', { ...asked, token })
    const { to } = await agree(page, { answer: 'refuse' })
    assert.deepEqual([to.searchParams.get('api_key'), to.searchParams.get('state')], [null, asked.state])
    assert.match(to.searchParams.get('error')!, /cancelled/)
    assert.doesNotMatch(JSON.stringify(await keysOf(token)), /laptop/)
  })

  test('a mailed link signs in, once, and that sign-in ends with the key', async () => {
    const link = await askForLink(server, newAddress())
    const { page } = await submit('', { ...asked, token: link })
    const key = (await agree(page)).to.searchParams.get('api_key')!
    assert.equal((await me(key)).status, 200)
    const { status, page: again } = await submit('', { ...asked, token: link })
    assert.equal(status, 401)
    assertWholePage(again)
    assert.match(again, /the link was used already/)
    assert.equal(valueOf(again, 'state'), asked.state)
  })

  test('of several workspaces the person chooses one, among those that may get keys from this person', async () => {
    const token = await signInByMail(server)
    const { body: shared } = await server.post('/v1/workspaces', { name: 'Shared & more' }, { token })
    const { page } = await submit('', { ...asked, token })
    assertWholePage(page)
    assert.match(page, /Shared &#38; more/)
    const { to } = await agree(page, { workspace: shared.workspace_id })
    const { body } = await me(to.searchParams.get('api_key')!)
    assert.equal(body.workspace_id, shared.workspace_id)
    const { body: other } = await server.post(
      '/v1/workspaces',
      { name: 'Theirs' },
      { token: await signInByMail(server) },
    )
    const { page: second } = await submit('', { ...asked, token })
    assert.equal((await agree(second, { workspace: other.workspace_id })).status, 404)
  })

  test('a sign-in that ended before the answer gets no key', async () => {
    const token = await signInByMail(server)
    const { page } = await submit('', { ...asked, token })
    await server.call('DELETE', '/users/me/sessions/current', undefined, { token })
    assert.equal((await agree(page)).status, 401)
  })

  for (const [what, token, status] of [
    ['an unknown token', 'pp_sess_nobody', 401],
    ['text that is no token', 'hello', 401],
  ] as const)
    test(`${what} is asked for again`, async () => {
      const { status: found, page } = await submit('', { ...asked, token })
      assert.equal(found, status)
      assertWholePage(page)
      assert.match(page, /class="problem"/)
    })

  test('a key without the scope for accounts gets no other key', async () => {
    const token = await signInByMail(server)
    const { body } = await server.post('/users/me/api-keys', { name: 'narrow', scopes: ['compute'] }, { token })
    assert.equal((await submit('', { ...asked, token: body.api_key })).status, 403)
  })

  for (const callback of ['https://example.com/callback', 'http://example.com:4000/', 'http://127.0.0.1/', 'nothing'])
    test(`no step accepts the callback ${callback}`, async () => {
      const hostile = { ...asked, callback_url: callback }
      const token = await signInByMail(server)
      for (const { status, page, headers } of [
        await get(`/api/cli/auth?${query(hostile)}`),
        await get(`/api/cli/auth/github?${query(hostile)}`),
        await submit('', { ...hostile, token }),
        await submit('/mail', { ...hostile, email: newAddress() }),
      ]) {
        assert.deepEqual([status, headers.get('location')], [400, null])
        assertWholePage(page)
      }
    })

  for (const [where, headers] of [
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['a preview of this server', { 'sec-fetch-site': 'same-site' }],
    ['another site, in an old browser', { origin: 'https://elsewhere.example' }],
  ] as const)
    test(`no form is taken from ${where}`, async () => {
      const token = await signInByMail(server)
      const { page } = await submit('', { ...asked, token })
      for (const [path, form] of [
        ['', { ...asked, token }],
        ['/mail', { ...asked, email: newAddress() }],
        ['/answer', { approval: valueOf(page, 'approval'), workspace: 'current', name: '', answer: 'agree' }],
      ] as const)
        assert.equal((await submit(path, form, headers)).status, 403, path)
    })

  const throughGithub = async () => {
    const started = await get(`/api/cli/auth/github?${query(asked)}`)
    const to = new URL(started.headers.get('location')!)
    const cookie = started.headers.get('set-cookie')!
    return { to, cookie, state: to.searchParams.get('state')! }
  }
  const person = () => ({
    id: Math.floor(Math.random() * 2 ** 40),
    login: 'octo',
    name: 'Octo',
    emails: [{ email: newAddress(), primary: true, verified: true }],
  })

  test('GitHub signs in the browser that was sent there, and no other', async () => {
    const { to, cookie, state } = await throughGithub()
    assert.deepEqual([to.origin, to.pathname], [github.url, '/login/oauth/authorize'])
    assert.equal(to.searchParams.get('redirect_uri'), `${server.url}/api/cli/auth/github/callback`)
    assert.match(cookie, /; HttpOnly; SameSite=Lax$/)
    const back = (headers: Record<string, string>) =>
      get(`/api/cli/auth/github/callback?${query({ state, code: github.codeFor(person()) })}`, headers)
    const other = await throughGithub()
    for (const headers of [{}, { cookie: other.cookie.split(';')[0]! }, { cookie: 'carrel-cli=.' }] as Record<
      string,
      string
    >[])
      assert.equal((await back(headers)).status, 400)
    const { page } = await back({ cookie: cookie.split(';')[0]! })
    assertWholePage(page)
    const key = (await agree(page)).to.searchParams.get('api_key')!
    assert.equal((await me(key)).body.display_name, 'Octo')
  })

  test('who refuses at GitHub can sign in otherwise', async () => {
    const { cookie, state } = await throughGithub()
    const headers = { cookie: cookie.split(';')[0]! }
    const { status, page } = await get(
      `/api/cli/auth/github/callback?${query({ state, error: 'access_denied' })}`,
      headers,
    )
    assert.equal(status, 401)
    assert.equal(valueOf(page, 'callback_url'), callback_url)
  })

  for (const host of ['127.0.0.1', 'localhost', '[::1]'])
    test(`a browser brings the key to ${host}, and names no referrer`, { skip: noBrowser }, async () => {
      const program = createServer((request, response) => response.end('<title>Back</title>'))
      program.listen(0, host === '[::1]' ? '::1' : '127.0.0.1')
      await once(program, 'listening')
      const received = once(program, 'request')
      try {
        const callback = `http://${host}:${(program.address() as AddressInfo).port}/callback`
        await using browser = await BrowserPage.open()
        await browser.goTo(`${server.url}/api/cli/auth?${query({ callback_url: callback, state: 's' })}`)
        const press = (selector: string) => browser.evaluate(`document.querySelector('${selector}').click()`)
        await browser.evaluate(`document.querySelector('#token').value = '${await signInByMail(server)}'`)
        await press('form[action="/api/cli/auth"] button')
        await until(
          () => browser.evaluate<boolean>(`!!document.querySelector('button[value=agree]')`).catch(() => false),
          Boolean,
        )
        await press('button[value=agree]')
        const [{ url, headers }] = (await received) as [{ url: string; headers: Record<string, string> }]
        assert.match(url, /^\/callback\?state=s&api_key=ak_/)
        assert.deepEqual([headers['referer'], headers['cookie']], [undefined, undefined])
        assert.deepEqual(browser.complaints, [])
      } finally {
        program.closeAllConnections()
        program.close()
      }
    })
})

test('the steps of such a sign-in are counted as sign-ins', { timeout: 60_000 }, async () => {
  const server = await TestApp.start({ env: { CARREL_SIGN_INS_PER_MINUTE: '3' } })
  try {
    const statuses: number[] = []
    for (let attempt = 0; attempt < 4; attempt++) {
      const { status } = await server.call('POST', '/api/cli/auth', { ...asked, token: 'wrong' }, { token: null })
      statuses.push(status)
    }
    assert.deepEqual(statuses, [401, 401, 401, 429])
  } finally {
    await server.stop()
  }
})
