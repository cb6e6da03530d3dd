import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AgentComputers } from '../support/agent-computer.ts'
import { BrowserPage, noBrowser } from '../support/browser.ts'
import { until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

test(
  'the button of the page of a share leads a browser to the page of the computer',
  { skip: noBrowser },
  async (t) => {
    const server = await TestApp.start()
    t.after(() => server.stop())
    const computers = new AgentComputers(server)
    const { id, primary_url } = await computers.create({ handle: 'shown' })
    const { body } = await computers.call('POST', `/computers/${id}/shares/links`, { allow_browser: true })
    await using page = await BrowserPage.open()
    await page.goTo(body.share.share_url)
    assert.deepEqual(page.complaints, [])
    await page.evaluate(`document.querySelector('button').click()`)
    const location = await until(
      () => page.evaluate<string>('location.href').catch(() => ''),
      (href) => href.startsWith(primary_url),
    )
    assert.equal(location, primary_url)
    const { body: now } = await computers.call('GET', `/computers/${id}/shares`)
    assert.equal(now.shares[0].uses, 1)
  },
)
