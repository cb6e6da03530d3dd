import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { BrowserPage, noBrowser } from '../support/browser.ts'
import { CliHome } from '../../src/cli/testing/run-cli.ts'
import { until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

describe('play money', { timeout: 300_000 }, () => {
  let server: TestApp
  before(async () => {
    server = await TestApp.start({ env: { CARREL_PLAY_MONEY: 'on' } })
  })
  after(() => server.stop())

  const credit = async (token: string) =>
    (await server.call('GET', '/balance', undefined, { token })).body.creditsRemaining
  const begin = async (token: string): Promise<string> =>
    (await server.post('/api/v1/credits/topup', { tier: 'pro' }, { token })).body.checkoutUrl

  test('a click credits the requested amount, once however often it is clicked', async () => {
    const token = await server.newAccount()
    const { body } = await server.post('/billing/deposit', { amount_cents: 700 }, { token })
    assert.match(body.checkout_url, new RegExp(`^${server.url}/billing/pay/\\w+$`))
    const page = await fetch(body.checkout_url)
    assert.match(await page.text(), /Pay with play money[^]*\$7\.00/)
    assert.equal(await credit(token), 5)
    for (let time = 0; time < 3; time++) {
      const answer = await fetch(body.checkout_url, { method: 'POST', redirect: 'manual' })
      assert.deepEqual([answer.status, answer.headers.get('location')?.split('?')[0]], [303, '/billing/return'])
    }
    assert.equal(await credit(token), 12)
    assert.match(await (await fetch(body.checkout_url)).text(), /Thank you/)
  })

  test('the command line says which amounts can be bought', async () => {
    using home = new CliHome()
    const env = { CARREL_URL: server.url, CARREL_TOKEN: server.token }
    for (const amount of ['5.005', '1e18', '-5', 'abc', '0.5', '0', '10000.01', 'NaN']) {
      const { exitCode, stdout, stderr } = await home.run(['topup', amount], { env })
      assert.deepEqual([exitCode, stdout], [2, ''], amount)
      assert.match(
        stderr,
        /Cannot top up by ".*two decimals, from \$1\.00 to \$10000\.00.*\(micro, starter, pro, scale\)$/m,
      )
    }
    assert.match((await home.run(['topup', '10000'], { env })).stdout, /\/billing\/pay\//)
  })

  test('an event of Stripe is refused with the settings to use instead', async () => {
    const { status, body } = await server.post('/billing/webhook', {}, { token: null })
    assert.deepEqual([status, body.code], [501, 'NOT_SET_UP'])
    assert.match(body.error, /takes play money.*; set CARREL_STRIPE_KEY and .* instead of CARREL_PLAY_MONEY$/)
  })

  test('an unknown payment shows a page that says so', async () => {
    const { status, body } = await server.call('GET', '/billing/pay/none', undefined, { token: null })
    assert.equal(status, 404)
    assert.match(body, /There is no such payment/)
    assert.equal((await server.call('POST', '/billing/pay/none', undefined, { token: null })).status, 404)
  })

  test('play money is refused by any name but those of this machine', async () => {
    const token = await server.newAccount()
    const { port, pathname } = new URL(await begin(token))
    const pay = (host: string) =>
      new Promise<number>((resolve, reject) =>
        httpRequest({ host: '127.0.0.1', port, path: pathname, method: 'POST', headers: { host } }, (response) => {
          response.resume()
          resolve(response.statusCode!)
        })
          .on('error', reject)
          .end(),
      )
    for (const host of ['carrel.example.com', '192.168.0.7:4280', 'localhost.example.com', '127.0.0.1.example.com'])
      assert.equal(await pay(host), 403, host)
    assert.equal(await credit(token), 5)
    assert.equal(await pay(`localhost:${port}`), 303)
    assert.equal(await credit(token), 27)
  })

  test('a user can pay by clicking, or cancel', { skip: noBrowser }, async () => {
    await using page = await BrowserPage.open()
    const token = await server.newAccount()
    const url = await begin(token)
    for (const width of [1280, 390]) {
      await page.goTo(url, { width, height: 844 })
      assert.match(
        await page.evaluate('document.body.innerText'),
        /\$20\.00\s+for \$22\.00 of credit with \$2\.00 on top/,
      )
      const isWide = await page.evaluate('document.documentElement.scrollWidth > innerWidth')
      assert.equal(isWide, false, `it is wider than ${width}`)
    }
    const title = (wished: RegExp) =>
      until(
        () => page.evaluate<string>('document.title'),
        (title) => wished.test(title),
      )
    await page.evaluate("document.querySelector('main a').click()")
    await title(/Nothing was paid/)
    assert.equal(await credit(token), 5)
    await page.goTo(url)
    await page.evaluate("document.querySelector('main form button').click()")
    await title(/Thank you/)
    assert.equal(await credit(token), 27)
    assert.deepEqual(page.complaints, [])
  })
})
