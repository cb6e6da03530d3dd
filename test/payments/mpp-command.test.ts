import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { BrowserPage, noBrowser } from '../support/browser.ts'
import { TestApp } from '../support/test-app.ts'
import { TempoNode } from '../support/fake-tempo-node.ts'

const command = fileURLToPath(new URL('../../node_modules/mppx/dist/bin.js', import.meta.url))

describe('how a new client learns to pay', { timeout: 300_000 }, () => {
  let node: TempoNode
  let server: TestApp
  before(async () => {
    node = await TempoNode.start()
    server = await TestApp.start({
      env: {
        CARREL_TEMPO_RECIPIENT: '0x1111111111111111111111111111111111111111',
        CARREL_TEMPO_RPC: node.url,
        CARREL_SIGN_INS_PER_MINUTE: '0',
      },
    })
  })
  after(async () => {
    await server.stop()
    await node.stop()
  })

  /** Runs the protocol's own program as the documentation does, with a wallet of its own. */
  const mppx = async (key: string, ...args: string[]) => {
    const home = mkdtempSync(join(tmpdir(), 'carrel-mppx-'))
    const env = { PATH: process.env.PATH, HOME: home, MPPX_PRIVATE_KEY: key, MPPX_RPC_URL: node.url }
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [command, ...args, '--silent'], {
        env,
        timeout: 60_000,
      })
      return stdout
    } finally {
      rmSync(home, { recursive: true, force: true })
    }
  }

  test('the command of the page tops up', async () => {
    const token = await server.newAccount()
    const header = `X-Session-Token: ${token}`
    const answer = await mppx(generatePrivateKey(), `${server.url}/topup`, '-H', header, '-J', '{"tier":"starter"}')
    assert.match(answer, /"creditsAdded":5/)
    const { body } = await server.call('GET', '/balance', undefined, { token })
    assert.equal(body.creditsRemaining, 10)
  })

  test('the command of the documentation signs in', async () => {
    const key = generatePrivateKey()
    const { address } = privateKeyToAccount(key)
    const answer = await mppx(key, `${server.url}/login`, '-J', JSON.stringify({ wallet: address }))
    const [token] = /pp_sess_[\w-]{43}/.exec(answer) ?? [answer]
    assert.equal((await server.post('/memory/usage', {}, { token })).status, 200)
  })

  test('GET /topup lists for programs what can be bought and how to pay', async () => {
    const { status, body } = await server.call('GET', '/topup', undefined, { token: null })
    assert.equal(status, 200)
    assert.deepEqual(body.tiers.at(-1), {
      tier: 'scale',
      amountCents: 10_000,
      creditsAdded: 120,
      bonusPercent: 20,
      computeHours: 333,
    })
    assert.deepEqual(body.customAmount, { minimumCents: 100, maximumCents: 1_000_000 })
    assert.deepEqual([body.paymentMethodsAccepted, body.checkout], [['tempo'], false])
  })

  test('the address in a refusal for lack of credit is that page', async () => {
    const { body } = await server.call('GET', '/', undefined, { token: null })
    assert.equal(body.links.topup, `${server.url}/topup`)
    assert.equal(body.billing, 'Pay for what you run, from the credit of the account. Top up via MPP with Tempo.')
  })

  test('a browser shows it as a page that fits the screen', { skip: noBrowser }, async () => {
    await using page = await BrowserPage.open()
    for (const width of [1280, 320]) {
      await page.goTo(`${server.url}/topup`, { width, height: 900 })
      const [text, wide] = await page.evaluate<[string, number]>(
        '[document.body.innerText, document.documentElement.scrollWidth]',
      )
      assert.match(text, /scale\s+\$100\s+\$120 \+20 %\s+333 h/)
      assert.ok(text.includes(`npx mppx@0.11.0 ${server.url}/topup`))
      assert.ok(wide <= width, `${wide} of ${width}`)
    }
    assert.deepEqual(page.complaints, [])
  })
})
