import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { settleRunning } from '../../src/engine/money/usage/settle-usage.ts'
import { signInByMail } from '../identity/outbox.ts'
import { appRoutes, nameOf, type AppRoute } from '../support/app-routes.ts'
import { exampleOf, type Operation } from '../support/call-example.ts'
import { TestApp } from '../support/test-app.ts'

/** Values that SQLite stores and PostgreSQL refuses, or that no column holds. */
const values: Record<string, unknown> = {
  'a zero character': '\u0000',
  'a zero character in a text': 'a\u0000b',
  'half a character': 'a\ud800',
  'characters of four bytes': '😀😀',
  'a long text': 'x'.repeat(10_000),
  'a pattern': `%_\\'";--`,
  'a number beyond 53 bits': 2 ** 60,
  'a number beyond 64 bits': 1e30,
  'a fraction': 0.1,
  'a negative number': -1,
  'another type': [{}],
}

interface Schema {
  properties?: object
  anyOf?: Schema[]
}

describe('a hostile value', { timeout: 120_000 }, () => {
  let app: TestApp
  const examples = new Map<string, Operation>()
  before(async () => {
    const unlimited = ['SIGN_INS', 'PAWPADO_READS', 'PAWPADO_WRITES', 'PAWPADO_POLLS'].map((name) => [
      `CARREL_${name}_PER_MINUTE`,
      '0',
    ])
    app = await TestApp.start({ env: { ...Object.fromEntries(unlimited), CARREL_PLAY_MONEY: 'on' } })
    const { body } = await app.call('GET', '/openapi.json', undefined, { token: null })
    for (const [path, methods] of Object.entries(body.paths as Record<string, Record<string, Operation>>))
      for (const [method, operation] of Object.entries(methods))
        examples.set(`${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`, operation)
  })
  after(() => app.stop())

  interface Fields {
    params: Record<string, unknown>
    querystring: Record<string, unknown>
    body: Record<string, unknown> | undefined
  }

  function exampleFields(route: AppRoute): Fields {
    const operation = examples.get(nameOf(route))
    const { example = {}, parts = {} } = operation ? exampleOf(operation) : {}
    const isBody = route.schema.body !== undefined
    return { params: { ...parts }, querystring: isBody ? {} : example, body: isBody ? example : undefined }
  }

  const names = (route: AppRoute, place: keyof Fields): string[] => {
    const { properties, anyOf = [] } = (route.schema[place] ?? {}) as Schema
    return [properties, ...anyOf.map((one) => one.properties)].flatMap((fields) => Object.keys(fields ?? {}))
  }

  /** Asserts that everything was recorded that is recorded after its answer. */
  async function assertNothingFailed(): Promise<void> {
    await app.engine.recorder.flush()
    await settleRunning(app.engine)
    assert.equal(app.log(), '')
  }

  async function send(
    route: AppRoute,
    { params, querystring, body }: Fields,
    token: string,
  ): Promise<string | undefined> {
    const path = route.url.replaceAll(/:(\w+)/g, (_, name: string) =>
      encodeURIComponent(wellFormed(params[name] ?? 'x')),
    )
    const query = new URLSearchParams(Object.entries(querystring).map(([name, value]) => [name, String(value)]))
    const target = query.size > 0 ? `${path}?${query.toString()}` : path
    const { status, body: answer } = await app.call(route.method, target, body, { token })
    if (status !== 500) return undefined
    return `${route.method} ${target.slice(0, 200)} ${JSON.stringify(body)?.slice(0, 200)}: ${JSON.stringify(answer)}`
  }

  test('in any field of any route is refused or accepted, and never a fault of the server', async () => {
    const [owner, user] = [app.token, await signInByMail(app)]
    const faults: string[] = []
    let sent = 0
    for (const route of await appRoutes()) {
      if (route.method === 'HEAD' || route.url === '/watch' || route.url.includes('stream')) continue
      const fields = exampleFields(route)
      for (const place of ['params', 'querystring', 'body'] as const)
        for (const name of names(route, place))
          for (const value of Object.values(values))
            for (const token of [owner, user]) {
              sent++
              const fault = await send(route, { ...fields, [place]: { ...fields[place], [name]: value } }, token)
              if (fault !== undefined) faults.push(fault)
            }
    }
    assert.ok(sent > 2000, `${sent} requests`)
    await assertNothingFailed()
  })

  test('in an Idempotency-Key is refused or accepted', async () => {
    for (const [key, expected] of [
      ['\u00ff'.repeat(100), 200],
      [`%00_\\'";--`, 200],
      ['x'.repeat(10_000), 400],
    ] as const) {
      const options = { headers: { 'idempotency-key': key } }
      for (const isRepeated of [false, true]) {
        const { status, headers } = await app.post('/execute', { code: 'true', language: 'shell' }, options)
        assert.equal(status, expected)
        assert.equal(headers.get('idempotency-replayed'), isRepeated && expected === 200 ? 'true' : null)
      }
    }
    await assertNothingFailed()
  })
})

function wellFormed(value: unknown): string {
  return String(value).toWellFormed()
}
