import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { BrowserPage, noBrowser } from '../support/browser.ts'
import { newSession, TestServer } from '../support/server.ts'
import { settles } from '../support/settles.ts'

/** Watches, creates and renames a file, and returns the events as the browser's own stream reader yields them. */
const page = (url: string, token: string, sessionId: string) => `<script type="module">
const post = (path, body) => fetch(${JSON.stringify(url)} + path, {
  method: 'POST',
  headers: { authorization: 'Bearer ${token}', 'content-type': 'application/json' },
  body: JSON.stringify({ sessionId: '${sessionId}', ...body }),
})
const events = []
let rest = ''
const response = await post('/watch', { path: '/workspace' })
for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
  const frames = (rest + chunk).split('\\n\\n')
  rest = frames.pop()
  for (const frame of frames) {
    if (frame.startsWith(':')) continue
    const event = JSON.parse(frame.slice(frame.indexOf('data: ') + 6))
    events.push([event.type, event.path])
    if (event.type === 'watching') await post('/execute', { code: ': > a; mv a b', language: 'shell' })
    if (event.type === 'rename') await fetch('/result', { method: 'POST', body: JSON.stringify(events) })
  }
}
</script>`

test('a browser reads the stream of changes with fetch', { skip: noBrowser }, async (t) => {
  const server = await TestServer.start()
  t.after(() => server.stop())
  const result = Promise.withResolvers<string>()
  const host = createServer((request, response) => {
    if (request.method === 'POST') void text(request).then(result.resolve, result.reject)
    response.setHeader('content-type', 'text/html')
    response.end(request.url === '/' ? page(server.url, server.token, newSession()) : '')
  }).listen(0, '127.0.0.1')
  t.after(() => host.close())
  await once(host, 'listening')
  const { port } = host.address() as AddressInfo
  await using browser = await BrowserPage.open('--disable-web-security')
  void browser.goTo(`http://127.0.0.1:${port}/`)
  assert.deepEqual(JSON.parse(await settles(result.promise, 'the report of the browser')), [
    ['watching', '/workspace'],
    ['create', '/workspace/a'],
    ['rename', '/workspace/b'],
  ])
})
