import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { homePage } from '../../src/http/pages/home-page.ts'
import { linkIn, messagesTo, newAddress } from '../identity/outbox.ts'
import { assertWholePage } from '../support/assert-html.ts'
import { BrowserPage, noBrowser } from '../support/browser.ts'
import { until } from '../support/server.ts'
import { everyPage } from '../support/every-page.ts'
import { TestApp } from '../support/test-app.ts'

const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }

describe('the home page', { timeout: 120_000 }, () => {
  let server: TestApp
  before(async () => {
    server = await TestApp.start()
  })
  after(() => server.stop())

  const get = (path: string, headers: Record<string, string>, method = 'GET') =>
    fetch(server.url + path, { method, headers })

  test('is for browsers; programs get the discovery document, whatever else they accept', async () => {
    const page = await get('/', browser)
    assert.deepEqual([page.status, page.headers.get('content-type')], [200, 'text/html; charset=utf-8'])
    assertWholePage(await page.text())
    const documents = await Promise.all(
      ['*/*', '', 'application/json', 'application/json, text/plain, */*', 'application/json, text/html'].map(
        async (accept) => {
          const response = await get('/', { accept })
          assert.match(response.headers.get('content-type')!, /^application\/json/)
          assert.equal(response.headers.get('vary'), 'Accept')
          return response.text()
        },
      ),
    )
    assert.equal(new Set(documents).size, 1)
    assert.equal(JSON.parse(documents[0]!).name, 'Carrel')
    assert.equal(page.headers.get('vary'), 'Accept')
  })

  test('answers HEAD with its headers alone, sets no cookie, and is not kept without being asked for again', async () => {
    const { headers, status } = await get('/', browser, 'HEAD')
    assert.deepEqual([status, headers.get('content-type')], [200, 'text/html; charset=utf-8'])
    assert.deepEqual([headers.get('set-cookie'), headers.get('cache-control')], [null, 'no-cache'])
  })

  test('says how the owner gets in where no mail is sent, and has a form where it is', async () => {
    const page = await (await get('/', browser)).text()
    assert.match(page, /\$\{CARREL_DATA:-\/var\/lib\/carrel\}\/owner\.token/)
    assert.match(page, /npm install -g/)
    assert.doesNotMatch(page, /<form/)
    assert.ok(!page.includes(server.token))
    const facts = { origin: 'https://carrel.example.com', sendsMail: true }
    assert.match(
      homePage({ ...facts, signUp: true }),
      /<form method="post" action="\/sign-in">[^]*an account of its own/,
    )
    assert.match(homePage({ ...facts, signUp: false }), /Only people who have an account or an invitation/)
  })

  for (const [path, type, caching] of [
    ['/favicon.ico', 'image/svg+xml; charset=utf-8', 'public, max-age=86400'],
    ['/favicon.svg', 'image/svg+xml; charset=utf-8', 'public, max-age=86400'],
    ['/assets/design.css', 'text/css; charset=utf-8', 'no-cache'],
  ] as const)
    test(`${path} is served`, async () => {
      const { status, headers } = await get(path, {})
      assert.deepEqual([status, headers.get('content-type'), headers.get('cache-control')], [200, type, caching])
    })
})

describe('the sign-in form', { timeout: 120_000 }, () => {
  let server: TestApp
  before(async () => {
    server = await TestApp.start({ env: { CARREL_SIGN_INS_PER_MINUTE: '10' } })
  })
  after(() => server.stop())

  const submit = async (email: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${server.url}/sign-in`, {
      method: 'POST',
      headers: { ...browser, 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams({ email }),
    })
    return { status: response.status, headers: response.headers, page: await response.text() }
  }

  test('sends a link that signs in, and answers with a page that says so', async () => {
    const address = newAddress()
    const { status, page } = await submit(address, { 'sec-fetch-site': 'same-origin', origin: server.url })
    assert.equal(status, 200)
    assertWholePage(page)
    assert.ok(page.includes(address))
    const [message] = await until(
      () => messagesTo(address),
      ({ length }) => length > 0,
    )
    assert.equal((await fetch(linkIn(message!), { headers: browser })).status, 200)
  })

  test('is asked for again, escaped, after what is not a mail address', async () => {
    const { status, page } = await submit('"><script>alert(1)</script>')
    assert.equal(status, 400)
    assertWholePage(page)
    assert.doesNotMatch(page, /<script>alert/)
  })

  for (const [where, headers] of [
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['a preview of this server', { 'sec-fetch-site': 'same-site' }],
    ['another site, in an old browser', { origin: 'https://elsewhere.example' }],
    ['a page that hides where it is', { origin: 'null' }],
  ] as const)
    test(`is refused from ${where}, and sends nothing`, async () => {
      const address = newAddress()
      const { status, page } = await submit(address, headers)
      assert.equal(status, 403)
      assertWholePage(page)
      assert.deepEqual(messagesTo(address), [])
    })

  test('counts as a sign-in: too many are refused with a page that says to wait', async () => {
    let last = await submit(newAddress())
    for (let count = 0; count < 10 && last.status === 200; count++) last = await submit(newAddress())
    assert.deepEqual([last.status, Number(last.headers.get('retry-after')) > 0], [429, true])
    assert.match(last.page, /<h1>That was too often<\/h1>/)
  })
})

describe('an error', { timeout: 120_000 }, () => {
  let server: TestApp
  before(async () => {
    server = await TestApp.start()
  })
  after(() => server.stop())

  test('at /login leads a person to the sign-in page, and no program', async () => {
    const person = await fetch(`${server.url}/login`, { headers: browser, redirect: 'manual' })
    assert.deepEqual([person.status, person.headers.get('location')], [303, '/sign-in'])
    assert.equal((await fetch(`${server.url}/login`, { headers: { accept: '*/*' } })).status, 405)
  })

  for (const [path, status, title] of [
    ['/nothing', 404, 'There is nothing here'],
    ['/execute', 405, 'This address is for programs'],
    ['/balance', 401, 'This address needs a token'],
    ['/v1/exec', 401, 'This address needs a token'],
    ['/%zz', 400, 'That did not work'],
    ['/docs/nothing', 404, 'There is no such thing'],
  ] as const)
    test(`at ${path} is a page for a person, and JSON for programs and for whoever sends a token`, async () => {
      const {
        status: found,
        headers,
        body,
      } = await server.call('GET', path, undefined, { token: null, headers: browser })
      assert.deepEqual([found, headers.get('cache-control')], [status, 'no-store'])
      assert.ok(body.includes(`<h1>${title}</h1>`), body)
      assertWholePage(body)
      const authorization = 'Bearer pp_sess_wrong'
      for (const asked of [{ accept: '*/*' }, { ...browser, authorization }, { ...browser, 'x-session-token': 'x' }]) {
        const { headers } = await server.call('GET', path, undefined, { token: null, headers: asked })
        assert.match(headers.get('content-type')!, /^application\/json/)
      }
    })
})

test(
  'a person asks for a link in a browser, by a form that needs no script',
  { skip: noBrowser, timeout: 120_000 },
  async () => {
    // Nothing listens there: the page is the same whether or not the message arrives.
    const mail = { CARREL_SMTP_URL: 'smtp://127.0.0.1:1', CARREL_PUBLIC_URL: 'https://carrel.example.com' }
    const server = await TestApp.start({ env: mail })
    try {
      await using browser = await BrowserPage.open()
      const title = (expected: string) =>
        until(
          () =>
            browser.evaluate<string>("document.readyState === 'complete' ? document.title : ''").catch(() => 'loading'),
          (found) => found === expected,
        )
      await browser.goTo(server.url)
      await browser.evaluate(`document.querySelector('#email').value = 'not an address'`)
      await browser.evaluate(`document.querySelector('form').submit()`)
      await title('Sign in – Carrel')
      await browser.evaluate(`document.querySelector('#email').value = 'ada@example.com'`)
      await browser.evaluate(`document.querySelector('form').submit()`)
      await title('Look at your mail – Carrel')
      assert.equal(await browser.evaluate('document.cookie'), '')
      assert.deepEqual(
        browser.complaints.filter((text) => !text.includes('status of 400')),
        [],
      )
    } finally {
      await server.stop()
    }
  },
)

test('every page is whole, and escapes what others wrote', () => {
  for (const [name, page] of everyPage.flatMap(({ pages }) => Object.entries(pages))) {
    assertWholePage(page, name)
    assert.doesNotMatch(page, /<script>alert|<b a=/, name)
  }
})

test(
  'every page keeps to its policy in a browser, and fits a phone',
  { skip: noBrowser, timeout: 120_000 },
  async (t) => {
    const all = everyPage.flatMap(({ headers, pages }) =>
      Object.entries(pages).map(([name, page]) => ({ name, page, headers })),
    )
    const server = createServer(({ url = '' }, response) => {
      const { page, headers } = all[Number(url.slice(1))] ?? { page: '', headers: {} }
      response.writeHead(200, headers).end(page)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
    await using browser = await BrowserPage.open()
    for (const [index, { name }] of all.entries()) {
      const { port } = server.address() as AddressInfo
      await browser.goTo(`http://127.0.0.1:${port}/${index}`, { width: 390, height: 844 })
      assert.equal(await browser.evaluate('document.documentElement.scrollWidth'), 390, name)
      assert.notEqual(
        await browser.evaluate('getComputedStyle(document.body).backgroundColor'),
        'rgba(0, 0, 0, 0)',
        name,
      )
      const blocks =
        'document.querySelectorAll("figure.code").length - document.querySelectorAll("figure.code > .copy").length'
      assert.equal(await browser.evaluate(blocks), 0, name)
      // The lines of code are wrapped, as a phone shows half of them otherwise.
      const cutOff = '[...document.querySelectorAll("pre")].filter((pre) => pre.scrollWidth > pre.clientWidth).length'
      assert.equal(await browser.evaluate(cutOff), 0, name)
      assert.deepEqual(browser.complaints, [], name)
    }
  },
)
