import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { after, before, describe, test } from 'node:test'
import { surfaces } from '../../src/apis/surfaces.ts'
import { BrowserPage, noBrowser } from '../support/browser.ts'
import { TestServer, until } from '../support/server.ts'

interface Operation {
  operationId: string
  tags: string[]
  security: unknown[]
}

interface SurfaceDocuments {
  page: string
  skill: string
  routes: [method: string, path: string, operation: Operation][]
}

describe('documentation', { timeout: 300_000 }, () => {
  let server: TestServer
  let index: string
  let skill: string
  /** Returns the badges of methods that are wrapped, clipped or cut off by the screen, in a page. */
  const brokenBadges = `[...document.querySelectorAll('.method')]
    .filter((badge) => badge.offsetParent)
    .filter((badge) => {
      const { left, right, height } = badge.getBoundingClientRect()
      return badge.scrollWidth > badge.clientWidth + 1 || height > 26 || left < 0 || right > innerWidth
    })
    .map((badge) => badge.parentElement.textContent)`
  /** The documents of each surface, by its name. */
  let documents: Map<string, SurfaceDocuments>

  const get = async (path: string) => (await server.call('GET', path, undefined, { token: null })).body as string
  const readAll = async (name: string): Promise<SurfaceDocuments> => {
    const { body } = await server.call('GET', `/openapi/${name}.json`, undefined, { token: null })
    const routes = Object.entries<Record<string, Operation>>(body.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]): [string, string, Operation] => [
        method.toUpperCase(),
        path,
        operation,
      ]),
    )
    return { page: await get(`/docs/${name}`), skill: await get(`/skills/${name}.md`), routes }
  }

  before(async () => {
    server = await TestServer.start({ env: { CARREL_PLAY_MONEY: 'on' } })
    index = await get('/docs')
    skill = await get('/SKILL.md')
    documents = new Map()
    for (const { name } of surfaces) documents.set(name, await readAll(name))
  })
  after(() => server.stop())

  test("/docs/<surface> shows every route of the surface's openapi.json, and its table of contents links to each", () => {
    for (const [name, { page, routes }] of documents) {
      assert.ok(routes.length > 0)
      for (const [method, path, { operationId }] of routes) {
        assert.ok(page.includes(`id="${operationId}"`), `${name}: ${method} ${path}`)
        assert.ok(page.includes(`href="#${operationId}"`), `${name}: ${method} ${path}`)
        assert.ok(page.includes(`<code>${path}</code>`), `${name}: ${method} ${path}`)
      }
    }
  })

  test('the indexes link to the documents of every surface, and are short', async () => {
    const { body } = await server.call('GET', '/', undefined, { token: null })
    for (const { name } of surfaces) {
      for (const path of [`/docs/${name}`, `/openapi/${name}.json`, `/skills/${name}.md`])
        assert.ok(index.includes(`href="${path}"`), path)
      assert.ok(skill.includes(`${server.url}/skills/${name}.md`), name)
      for (const link of ['openapi', 'docs', 'skill'] as const)
        assert.equal((await fetch(body.surfaces[name][link])).status, 200, `${name} ${link}`)
    }
    assert.ok(index.length < 16 * 1024 && skill.length < 8 * 1024)
  })

  test('openapi.json has the operations of all surfaces, each once', async () => {
    const { body } = await server.call('GET', '/openapi.json', undefined, { token: null })
    const whole = Object.entries<object>(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    const each = [...documents.values()].flatMap(({ routes }) => routes.map(([method, path]) => `${method} ${path}`))
    assert.deepEqual(whole.toSorted(), [...new Set(each)].toSorted())
    assert.equal((await server.call('GET', '/openapi/none.json', undefined, { token: null })).status, 404)
    for (const path of ['/docs/none', '/skills/none.md'])
      assert.equal((await server.call('GET', path, undefined, { token: null })).status, 404, path)
  })

  test('the pages load nothing from elsewhere, and their policy forbids it', async () => {
    for (const path of ['/docs', '/docs/paperpod']) {
      const { headers, body: page } = await server.call('GET', path, undefined, { token: null })
      const policy = headers.get('content-security-policy')!
      assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/)
      assert.doesNotMatch(policy, /unsafe|https?:/)
      const loaded = [...page.matchAll(/<(?:link|script|img)[^>]* (?:href|src)="([^"]+)"/g)].map(([, path]) => path!)
      assert.ok(loaded.length >= 4)
      for (const path of loaded.filter((path) => !path.startsWith('data:'))) {
        const asset = await server.call('GET', path, undefined, { token: null })
        assert.equal(asset.status, 200, path)
        assert.doesNotMatch(String(asset.body).replaceAll('http://www.w3.org/2000/svg', ''), /https?:\/\//, path)
      }
      assert.doesNotMatch(page, / style=| on\w+=|<style|<script>/)
    }
  })

  test('every document names the server by the address that the caller used, but never by a foreign Host header', async () => {
    const ask = (path: string, host: string) =>
      new Promise<string>((resolve, reject) =>
        httpRequest(server.url + path, { headers: { host } }, (response) => resolve(text(response)))
          .on('error', reject)
          .end(),
      )
    for (const path of ['/', '/docs', '/docs/paperpod', '/SKILL.md', '/skills/paperpod.md']) {
      assert.match(await ask(path, 'localhost:8443'), /http:\/\/localhost:8443\//)
      const elsewhere = await ask(path, 'evil.example:8443')
      assert.ok(!elsewhere.includes('evil.example') && elsewhere.includes(`${server.url}/`), path)
      const tricked = await ask(path, `x"><script>alert(1)</script>'$(reboot)`)
      assert.doesNotMatch(tricked, /<script>alert|reboot/, path)
    }
  })

  test('the pages are small, compressed, and sent once', async () => {
    const asked = async (path: string, headers: Record<string, string> = {}) =>
      (await server.call('GET', path, undefined, { token: null, headers })).headers
    for (const path of ['/docs', '/SKILL.md', '/docs/search.json', ...surfaces.map(({ name }) => `/docs/${name}`)]) {
      const { status, headers, body } = await server.call('GET', path, undefined, { token: null })
      assert.equal(status, 200)
      assert.equal(headers.get('content-encoding'), 'gzip', path)
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      assert.ok(
        Buffer.byteLength(text) < 500_000 && gzipSync(text).length < 50_000,
        `${path}: ${Buffer.byteLength(text)} bytes, ${gzipSync(text).length} compressed`,
      )
      const etag = headers.get('etag')!
      const again = await fetch(server.url + path, { headers: { 'if-none-match': etag } })
      assert.equal(again.status, 304, path)
      assert.equal(await again.text(), '', path)
      assert.equal((await asked(path, { 'accept-encoding': 'identity' })).get('content-encoding'), null, path)
    }
    const [, search] = /data-index="([^"]+)"/.exec(index)!
    assert.match((await asked(search!)).get('cache-control')!, /immutable/)
    assert.equal((await asked('/docs/search.json')).get('cache-control'), 'no-cache')
    assert.equal((await asked(`${search}0`)).get('cache-control'), 'no-cache')
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
    assert.ok(body!.split('\n').length < 100)
    assert.match(body!, /refuses a field that it does not have, .*, and so do all routes of the API Carrel;/)
    for (const rule of ['A body is JSON', 'A field that a route does not have is'])
      assert.equal(body!.split(rule).length, 2, rule)
    assert.match(body!, /npm pack/)
  })

  test('/skills/<surface>.md covers every route that needs a token, except those by which a user pays', () => {
    let told = 0
    for (const [name, { skill, routes }] of documents) {
      assert.ok(skill.split('\n').length < 500, name)
      for (const [method, path, { security, tags }] of routes) {
        if (security.length === 0 || (name === 'environments' && tags.includes('Billing'))) continue
        assert.ok(skill.includes(`### ${method} ${path}\n`) || skill.includes(`- \`${method} ${path}\`: `), path)
        told++
      }
    }
    assert.ok(told > 40, `${told} routes are there`)
  })

  test('every command of /SKILL.md and /skills/paperpod.md works unchanged', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'carrel-skill-'))
    const env = { PATH: process.env.PATH, CARREL_TOKEN: await server.newAccount() }
    try {
      const text = `${skill}${documents.get('paperpod')!.skill}`
      const commands = [...text.matchAll(/^```sh\n((?:echo .*?\n)?curl .*?)^```$/gms)].map(([, command]) => command!)
      assert.ok(commands.length >= 18, `${commands.length} commands are there`)
      for (const command of commands) {
        // A stream may not end by itself: curl exits with 28 when its time is up.
        const strict = command
          .replace(/^curl -N/m, 'curl -sS --fail-with-body --max-time 3 -N')
          .replace(/^curl (?!-sS)/m, 'curl -sS --fail-with-body ')
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
      await browser.goTo(`${server.url}/docs/paperpod`)
      await send('postExecute')
      assert.match((await shown('postExecute'))[0], /This route needs a token: enter it in the field at the top/)
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
      await browser.goTo(`${server.url}/docs/paperpod`)
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
      await browser.goTo(`${server.url}/docs/paperpod`)
      assert.equal(await browser.evaluate(`document.querySelector('.token input').value`), server.token)
    })

    for (const width of [320, 390, 768, 1280, 1440])
      test(`nothing is wider than a screen of ${width} pixels`, async () => {
        for (const path of ['/docs', ...surfaces.map(({ name }) => `/docs/${name}`)]) {
          await browser.goTo(server.url + path, { width, height: 800 })
          assert.equal(
            await browser.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'),
            0,
            path,
          )
          assert.deepEqual(await browser.evaluate(brokenBadges), [], path)
        }
      })

    test('a language is chosen for every sample without a script, and remembered with it', async () => {
      const visible = () =>
        browser.evaluate<string[]>(
          `[...new Set([...document.querySelectorAll('.samples pre')].filter((pre) => pre.offsetParent)
            .map((pre) => pre.dataset.language))]`,
        )
      await browser.goTo(`${server.url}/docs/paperpod`)
      assert.deepEqual(await visible(), ['shell'])
      await browser.evaluate(`document.querySelector('#getWs .samples [value=python]').click()`)
      assert.deepEqual(await visible(), ['python'])
      await browser.goTo(`${server.url}/docs/carrel`)
      assert.deepEqual(await visible(), ['python'])
      await browser.evaluate(`localStorage.clear()`)
      // What the style does when one sample alone has another choice, as without a script.
      await browser.goTo(`${server.url}/docs/paperpod`)
      await browser.evaluate(`document.querySelector('#postExecute .samples [value=typescript]').checked = true`)
      assert.deepEqual(await visible(), ['typescript', 'shell'])
    })

    test('a search finds routes, fields, messages and errors of every API, by keyboard', async () => {
      await browser.goTo(`${server.url}/docs/paperpod`)
      const search = (text: string) =>
        browser.evaluate(`(() => {
          document.dispatchEvent(new KeyboardEvent('keydown', { key: '/' }))
          document.activeElement.value = ${JSON.stringify(text)}
          document.activeElement.dispatchEvent(new Event('input'))
        })()`)
      const first = () => browser.evaluate<string>(`document.querySelector('.results a')?.getAttribute('href') ?? ''`)
      for (const [text, href] of [
        ['post execute', '/docs/paperpod#postExecute'],
        ['kernelRestarted', '/docs/paperpod#postInterpret'],
        ['process attach', '/docs/paperpod#getWs-client-process-attach'],
        ['overflow', '/docs/paperpod#postWatch-server-overflow'],
        ['out_of_credits', '/docs/paperpod#error-OUT_OF_CREDITS'],
        ['post invitations', '/docs/carrel#postVWorkspacesWorkspaceIdInvitations'],
      ] as const) {
        await search(text)
        assert.equal(await until(first, (found) => found === href), href)
      }
      await browser.evaluate(
        `document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }))`,
      )
      assert.equal(
        await until(
          // While the page is left, nothing answers.
          () => browser.evaluate<string>('location.pathname + location.hash').catch(() => ''),
          (at) => at.startsWith('/docs/carrel#'),
        ),
        '/docs/carrel#postVWorkspacesWorkspaceIdInvitations',
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
