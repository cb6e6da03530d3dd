import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { Compile } from 'typebox/compile'
import { surfaces } from '../../src/apis/surfaces.ts'
import { successOf } from '../../src/http/success-of.ts'
import { appRoutes } from '../support/app-routes.ts'
import { readPage, type Document } from './reference.ts'

/** The routes that are not documented, each with the reason. */
const undocumented: Record<string, string> = {
  'GET /billing/return': 'a page that links and redirects lead to',
  'GET /billing/cancel': 'a page that links and redirects lead to',
  'GET /billing/pay/:payment': 'a page that links and redirects lead to',
  'POST /billing/pay/:payment': 'the form of that page',
  'GET /assets/design.css': 'a part of a page',
  'GET /favicon.ico': 'a part of a page',
  'GET /favicon.svg': 'a part of a page',
  'GET /sign-in': 'a page that links lead to',
  'POST /sign-in': 'the form of that page',
  'GET /api/cli/auth': "a page that the service's own command line opens, which docs/IDENTITY.md describes",
  'POST /api/cli/auth': 'a form of that page',
  'POST /api/cli/auth/mail': 'a form of that page',
  'POST /api/cli/auth/answer': 'a form of that page',
  'GET /api/cli/auth/github': 'a link of that page',
  'GET /api/cli/auth/github/callback': 'a page that GitHub leads to',
  'GET /status': 'a page that links lead to',
  'GET /share/:token': 'a page that links lead to',
  'POST /share/:token': 'the form of that page',
  'GET /docs/page.css': 'a part of a page',
  'GET /docs/console.js': 'a part of a page',
  'GET /docs/samples.js': 'a part of a page',
  'GET /docs/search.js': 'a part of a page',
  'GET /docs/search.json': 'a part of a page',
  ...Object.fromEntries(
    ['Start', 'Connect', 'List', 'Update', 'SendInput', 'StreamInput', 'SendSignal', 'CloseStdin', ':method'].map(
      (name) => [
        `POST /process.Process/${name}`,
        'a method of Connect, which process.proto and docs/EXEC-GATEWAY.md describe',
      ],
    ),
  ),
  'GET /metrics': "for the operator's monitoring, with its own token",
}

describe('the committed reference', () => {
  /** The registered routes of the app, as `METHOD /path/:id`. */
  let served: string[]
  /** The operations of each committed document. */
  let documented: Map<string, Set<string>>

  before(async () => {
    // With play money, the app also has its payment pages.
    const routes = await appRoutes({ CARREL_PLAY_MONEY: 'on' })
    served = routes.filter(({ method }) => method !== 'HEAD').map(({ method, url }) => `${method} ${url}`)
    documented = new Map()
    for (const { name } of surfaces) {
      const { paths } = JSON.parse(await readPage(`docs/reference/${name}.json`)) as Document
      const operations = Object.entries(paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
      )
      documented.set(name, new Set(operations))
    }
  })

  test('has every route of the app, except the pages named here', () => {
    const all = new Set([...documented.values()].flatMap((operations) => [...operations]))
    assert.ok(served.length > 80)
    assert.deepEqual(
      served.filter((route) => !all.has(route) && !(route in undocumented)),
      [],
    )
  })

  test('has no other routes, and every page named here exists', () => {
    const known = new Set(served)
    for (const [surface, operations] of documented)
      for (const operation of operations) assert.ok(known.has(operation), `${surface}: ${operation}`)
    const all = new Set([...documented.values()].flatMap((operations) => [...operations]))
    for (const route of Object.keys(undocumented)) {
      assert.ok(known.has(route), `${route} is gone`)
      assert.ok(!all.has(route), `${route} is documented`)
    }
  })

  test('has every operation of a shared route in both documents', () => {
    for (const [route, names] of [
      ['POST /auth/refresh', ['paperpod', 'environments']],
      ['GET /health', ['paperpod', 'environments']],
      ['GET /docs', ['paperpod', 'carrel']],
    ] as const)
      assert.deepEqual(
        [...documented].filter(([, operations]) => operations.has(route)).map(([name]) => name),
        names.toSorted((a, b) => [...documented.keys()].indexOf(a) - [...documented.keys()].indexOf(b)),
        route,
      )
    for (const { name, topics } of surfaces)
      for (const { shared = [] } of topics)
        for (const route of shared) assert.ok(documented.get(name)!.has(route), `${name} shares ${route}`)
  })

  test('shows an answer for every route that answers JSON, and messages for every stream and WebSocket', async () => {
    for (const { name } of surfaces) {
      const { paths } = JSON.parse(await readPage(`docs/reference/${name}.json`)) as Document
      for (const [path, methods] of Object.entries(paths))
        for (const [method, { responses, 'x-messages': messages }] of Object.entries(methods)) {
          const content = successOf(responses)?.[1].content ?? {}
          const what = `${name}: ${method} ${path}`
          if (content['application/json']) assert.notEqual(content['application/json'].example, undefined, what)
          assert.equal(messages !== undefined, '101' in responses || 'text/event-stream' in content, what)
        }
    }
  })

  test('has messages whose examples fit their schemas', async () => {
    let checked = 0
    for (const { name } of surfaces) {
      const { paths } = JSON.parse(await readPage(`docs/reference/${name}.json`)) as Document
      for (const [path, methods] of Object.entries(paths))
        for (const { 'x-messages': messages = [] } of Object.values(methods))
          for (const { name: message, from, schema, example } of messages) {
            if (!schema) continue
            // Messages of /ws have their fields beside the type, the action and the id.
            const { type: _, action: __, id: ___, ...fields } = example as Record<string, unknown>
            const value = path === '/ws' && from === 'client' ? fields : example
            assert.deepEqual([...Compile(schema as never).Errors(value)], [], `${path} ${message}`)
            checked++
          }
    }
    assert.ok(checked > 40)
  })
})
