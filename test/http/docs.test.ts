import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { BrowserPage, noBrowser } from '../support/browser.ts'
import { TestServer, until } from '../support/server.ts'

interface Operation {
  operationId: string
  tags: string[]
  security: unknown[]
}

describe('documentation', { timeout: 120_000 }, () => {
  let server: TestServer
  let page: string
  let skill: string
  let routes: [method: string, path: string, operation: Operation][]

  const get = async (path: string) => (await server.call('GET', path, undefined, { token: null })).body as string

  before(async () => {
    server = await TestServer.start({ env: { CARREL_PLAY_MONEY: 'on' } })
    page = await get('/docs')
    skill = await get('/SKILL.md')
    const { paths } = (await server.call('GET', '/openapi.json', undefined, { token: null })).body
    routes = Object.entries<Record<string, Operation>>(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]): [string, string, Operation] => [
        method.toUpperCase(),
        path,
        operation,
      ]),
    )
  })
  after(() => server.stop())

  test('/docs shows every route of openapi.json, and its table of contents links to each', () => {
    for (const [method, path, { operationId }] of routes) {
      assert.ok(page.includes(`id="${operationId}"`), `${method} ${path}`)
      assert.ok(page.includes(`href="#${operationId}"`), `${method} ${path}`)
      assert.ok(page.includes(`<code>${path}</code>`), `${method} ${path}`)
    }
  })

  test('/docs loads nothing from elsewhere, and its policy forbids it', async () => {
    const { headers } = await server.call('GET', '/docs', undefined, { token: null })
    const policy = headers.get('content-security-policy')!
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/)
    assert.doesNotMatch(policy, /unsafe|https?:/)
    const loaded = [...page.matchAll(/<(?:link|script|img)[^>]* (?:href|src)="([^"]+)"/g)].map(([, path]) => path!)
    assert.ok(loaded.length >= 4)
    for (const path of loaded) {
      const asset = await server.call('GET', path, undefined, { token: null })
      assert.equal(asset.status, 200, path)
      assert.doesNotMatch(String(asset.body).replaceAll('http://www.w3.org/2000/svg', ''), /https?:\/\//, path)
    }
    assert.doesNotMatch(page, / style=| on\w+=|<style|<script>/)
  })

  test('/, /docs and /SKILL.md name the server by the address that the caller used, but never by a foreign Host header', async () => {
    const ask = (path: string, host: string) =>
      new Promise<string>((resolve, reject) =>
        httpRequest(server.url + path, { headers: { host } }, (response) => resolve(text(response)))
          .on('error', reject)
          .end(),
      )
    for (const path of ['/', '/docs', '/SKILL.md']) {
      assert.match(await ask(path, 'localhost:8443'), /http:\/\/localhost:8443\//)
      const elsewhere = await ask(path, 'evil.example:8443')
      assert.ok(!elsewhere.includes('evil.example') && elsewhere.includes(`${server.url}/`), path)
      const tricked = await ask(path, `x"><script>alert(1)</script>'$(reboot)`)
      assert.doesNotMatch(tricked, /<script>alert|reboot/, path)
    }
  })

  test('/SKILL.md and /.well-known/skill.md are the same Agent Skill', async () => {
    const { headers } = await server.call('GET', '/SKILL.md', undefined, { token: null })
    assert.equal(headers.get('content-type'), 'text/markdown; charset=utf-8')
    assert.equal(await get('/.well-known/skill.md'), skill)
    const [, matter, body] = /^---\n(.*?)\n---\n(.*)$/s.exec(skill)!
    const fields = new Map(
      matter!.split('\n').map((line) => [/^[\w- ]+/.exec(line)![0], line.replace(/^[^:]+: ?/, '')]),
    )
    const name = fields.get('name')!
    assert.ok(/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) && name.length <= 64)
    const description = JSON.parse(fields.get('description')!) as string
    assert.ok(description.length > 100 && description.length <= 1024)
    assert.match(description, /Use when/)
    assert.ok((JSON.parse(fields.get('compatibility')!) as string).length <= 500)
    assert.deepEqual(
      [...fields.keys()].filter((key) => !key.startsWith(' ')),
      ['name', 'description', 'license', 'compatibility', 'metadata'],
    )
    assert.ok(body!.split('\n').length < 500)
  })

  test('/SKILL.md covers every route that needs a token, except those by which a user pays', () => {
    const closed = routes.filter(([, , { security, tags }]) => security.length > 0 && !tags.includes('Billing'))
    assert.ok(closed.length > 15)
    for (const [method, path] of closed)
      assert.ok(skill.includes(`### ${method} ${path}\n`) || skill.includes(`- \`${method} ${path}\`: `), path)
  })

  test('every command of /SKILL.md works unchanged', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'carrel-skill-'))
    writeFileSync(join(folder, 'greeting.txt'), 'hello\n')
    const env = { PATH: process.env.PATH, CARREL_TOKEN: await server.newAccount() }
    try {
      const commands = [...skill.matchAll(/^```sh\n(curl .*?)^```$/gms)].map(([, command]) => command!)
      assert.ok(commands.length >= 17, `only ${commands.length} commands`)
      for (const command of commands) {
        // A stream may not end by itself: curl exits with 28 when its time is up.
        const strict = command
          .replace(/^curl -N/, 'curl -sS --fail-with-body --max-time 3 -N')
          .replace(/^curl (?!-sS)/, 'curl -sS --fail-with-body ')
        const answer = execFileSync('sh', ['-c', `{ ${strict}} || [ $? = 28 ]`], {
          cwd: folder,
          env,
          encoding: 'utf8',
          timeout: 30_000,
        })
        assert.doesNotMatch(answer, /"success":false/, command)
        if (command.startsWith('curl -N')) assert.match(answer, /^event: \w+\ndata: \{/m)
        else if (command.includes('/files/download')) assert.equal(answer, 'hello\n')
        else assert.ok(typeof JSON.parse(answer) === 'object', command)
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  describe('in Chromium', { skip: noBrowser }, () => {
    let browser: BrowserPage
    before(async () => {
      browser = await BrowserPage.open()
    })
    after(() => browser[Symbol.asyncDispose]())

    const send = (id: string, body?: object) =>
      browser.evaluate(`(() => {
        const form = document.querySelector('#${id} form.try')
        ${body ? `form.elements.body.value = ${JSON.stringify(JSON.stringify(body))}` : ''}
        form.requestSubmit()
      })()`)
    const shown = (id: string) =>
      browser.evaluate<[string, string]>(
        `['output', '.answer'].map((part) => document.querySelector('#${id} form.try ' + part).textContent)`,
      )
    const typeToken = () =>
      browser.evaluate(`(() => {
        const input = document.querySelector('.token input')
        input.value = ${JSON.stringify(server.token)}
        input.dispatchEvent(new Event('input'))
      })()`)

    test('the console asks for a token before it sends a request that needs one', async () => {
      await browser.goTo(`${server.url}/docs`)
      await send('postExecute')
      assert.match((await shown('postExecute'))[0], /This needs a token: type it into the field at the top/)
      assert.equal(await browser.evaluate(`document.activeElement === document.querySelector('.token input')`), true)
      const isInSight = `(({ top, bottom }) => top >= 0 && bottom <= innerHeight)(
        document.querySelector('#postExecute form.try output').getBoundingClientRect())`
      await browser.evaluate(
        `document.querySelector('#postExecute form.try button').scrollIntoView({ block: 'center' })`,
      )
      await send('postExecute')
      assert.equal(await browser.evaluate(isInSight), true)
      await send('getHealth')
      const [, answer] = await until(
        () => shown('getHealth'),
        ([output]) => output.endsWith(' ms'),
      )
      assert.equal(JSON.parse(answer).service, 'carrel')
    })

    test('the console sends a request and shows status, time and response', async () => {
      await browser.goTo(`${server.url}/docs`)
      await typeToken()
      await send('postExecute', { code: 'echo "<b>$((6*7))</b>"', language: 'shell' })
      const [output, answer] = await until(
        () => shown('postExecute'),
        ([output]) => output.endsWith('s'),
      )
      assert.match(output, /^200 OK · /)
      assert.equal(JSON.parse(answer).result.stdout, '<b>42</b>\n')
      await send('postExecute', { code: 'true', language: 'ruby' })
      const [refused] = await until(
        () => shown('postExecute'),
        ([output]) => output.startsWith('400'),
      )
      assert.match(refused, /^400 Bad Request/)
    })

    test('the console shows the images of a response, in their order', async () => {
      const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
      const code = `for (let n = 0; n < 2; n++) display.image(Buffer.from('${png}', 'base64'))`
      await send('postInterpret', { code, language: 'javascript' })
      const [, answer] = await until(
        () => shown('postInterpret'),
        ([output]) => output.endsWith('s'),
      )
      assert.equal(JSON.parse(answer).status, 'completed', answer)
      const widths = () =>
        browser.evaluate<number[]>(
          `[...document.querySelectorAll('#postInterpret .answer img')].map(({ naturalWidth }) => naturalWidth)`,
        )
      assert.deepEqual(await until(widths, (all) => all.length === 2 && all.every((width) => width > 0)), [1, 1])
    })

    test('the console shows a stream while it arrives, and stops it', async () => {
      await send('postExecuteStream', { code: 'echo begun; sleep 60; echo ended', language: 'shell' })
      const [output] = await until(
        () => shown('postExecuteStream'),
        ([, answer]) => answer.includes('begun'),
      )
      assert.equal(output, '200 OK')
      await browser.evaluate(`document.querySelector('#postExecuteStream [data-stop]').click()`)
      const [stopped, answer] = await until(
        () => shown('postExecuteStream'),
        ([output]) => output.includes('stopped'),
      )
      assert.match(stopped, /^200 OK · .* · stopped$/)
      assert.ok(!answer.includes('ended'))
    })

    test('the token is kept in the tab and nowhere else', async () => {
      assert.equal(await browser.evaluate('sessionStorage.length'), 1)
      assert.equal(await browser.evaluate('localStorage.length + document.cookie.length'), 0)
      await browser.goTo(`${server.url}/docs`)
      assert.equal(await browser.evaluate(`document.querySelector('.token input').value`), server.token)
    })

    for (const width of [320, 390, 768, 1440])
      test(`nothing is wider than a screen of ${width} pixels`, async () => {
        await browser.goTo(`${server.url}/docs`, { width, height: 800 })
        assert.equal(
          await browser.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'),
          0,
        )
      })

    test('the policy of the page blocks nothing that the page does', () => {
      assert.deepEqual(
        browser.complaints.filter((complaint) => !complaint.includes('status of 400')),
        [],
      )
    })
  })
})
