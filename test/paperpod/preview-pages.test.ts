import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { ComputerState } from '../../src/db/schema.ts'
import { assertWholePage } from '../support/assert-html.ts'
import { BrowserPage, noBrowser } from '../support/browser.ts'
import { newSession, until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

const visitor = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

describe('a preview that cannot be shown', { timeout: 120_000 }, () => {
  let server: TestApp
  before(async () => {
    server = await TestApp.start()
  })
  after(() => server.stop())

  const expose = async () => {
    const { body } = await server.post('/expose', { port: 8080, sessionId: newSession() })
    const url: string = body.url
    return { url, computerId: /8080-(\w+)-/.exec(url)![1]! }
  }
  /** Visits as a browser and as a program. Returns what both learn. */
  const visit = async (url: string) => {
    const page = await server.preview(url, '/', { headers: visitor })
    const program = await server.preview(url, '/', { headers: { accept: '*/*' } })
    assert.equal(page.headers['content-type'], 'text/html; charset=utf-8')
    assert.equal(program.headers['content-type'], 'application/json; charset=utf-8')
    for (const { headers, status } of [page, program]) {
      assert.deepEqual([status, headers['cache-control'], headers['vary']], [page.status, 'no-store', 'Accept'])
      assert.equal(headers['retry-after'], page.headers['retry-after'])
    }
    assertWholePage(page.body.toString())
    const { code } = JSON.parse(program.body.toString()) as { code: string }
    return { status: page.status, code, retryAfter: page.headers['retry-after'], page: page.body.toString() }
  }
  const stop = async (computerId: string, state: ComputerState, reason: string | null) =>
    server.db.updateTable('computers').set({ state, state_reason: reason }).where('id', '=', computerId).execute()

  test('says that nothing listens yet, looks again, and names the command of its port', async () => {
    const { url } = await expose()
    const { status, code, retryAfter, page } = await visit(url)
    assert.deepEqual([status, code, retryAfter], [502, 'UPSTREAM_UNREACHABLE', '2'])
    assert.match(page, /<h1>Nothing to show yet<\/h1>[^]*data-status="502"[^]*http\.server 8080/)
  })

  test('does not look again for a visitor whose request cannot be repeated', async () => {
    const { url } = await expose()
    const { body, status } = await server.preview(url, '/', { headers: visitor, method: 'POST' })
    assert.equal(status, 502)
    assert.doesNotMatch(body.toString(), /data-status=/)
  })

  for (const [state, reason, title, says] of [
    ['stopped', 'idle', 'This preview has ended', /stopped after 10 minutes without use/],
    ['stopped', 'credit', 'This preview has ended', /behind it was stopped\. Ask/],
    ['stopping', null, 'This preview has ended', /behind it was stopped\. Ask/],
    ['failed', 'secret', 'This preview has ended', /has failed/],
    ['starting', null, 'This preview is starting', /data-status="503"/],
  ] as const)
    test(`says what became of a computer that is ${state}${reason === null ? '' : ` (${reason})`}`, async (t) => {
      const { url, computerId } = await expose()
      await stop(computerId, state, reason)
      t.after(() => stop(computerId, 'running', null))
      const { status, code, retryAfter, page } = await visit(url)
      assert.deepEqual([status, code, retryAfter], [503, 'COMPUTER_STOPPED', undefined])
      assert.ok(page.includes(`<h1>${title}</h1>`), page)
      assert.match(page, says)
      assert.doesNotMatch(page.split('<body>')[1]!, /credit|secret/)
    })

  test('tells a port that was never exposed, and a computer that never was, alike', async () => {
    const { url } = await expose()
    const never = await visit(url.replaceAll('8080', '8081'))
    const nowhere = await visit(url.replaceAll('8080', '8081').replace(/[0-9a-z]{20}/, '0'.repeat(20)))
    assert.deepEqual([never.status, never.code], [404, 'NOT_FOUND'])
    assert.deepEqual(nowhere, never)
    assert.match(never.page, /carrel expose --session &#60;sandbox&#62; 8081/)
  })

  test('links home, and may be shown in a frame', async () => {
    const { url } = await expose()
    const { headers, body } = await server.preview(url, '/', { headers: visitor })
    assert.ok(body.toString().includes(`<a class="brand" href="http://localhost:${new URL(server.url).port}/">`))
    assert.doesNotMatch(String(headers['content-security-policy']), /frame-ancestors|unsafe|http/)
  })

  test('shows the server in a browser, by itself, once it runs', { skip: noBrowser }, async (t) => {
    const { url } = await expose()
    await using browser = await BrowserPage.open()
    await browser.goTo(url)
    assert.equal(await browser.evaluate('document.title'), 'Nothing to show yet – Carrel')
    const guest = createServer((_request, response) => response.end('<title>ready</title>')).listen(0, '127.0.0.1')
    await once(guest, 'listening')
    t.after(() => guest.close())
    const { port } = guest.address() as AddressInfo
    server.driver.dial = async (_id: string, _port: number, { onRead }: { onRead?: (bytes: Buffer) => void } = {}) => {
      const callback = (length: number, bytes: Uint8Array) => {
        onRead?.(Buffer.from(bytes.subarray(0, length)))
        return true
      }
      const socket = connect({ port, onread: { buffer: Buffer.alloc(65_536), callback } })
      await once(socket, 'connect')
      return socket
    }
    await until(
      () => browser.evaluate<string>('document.title').catch(() => 'loading'),
      (title) => title === 'ready',
    )
  })
})
