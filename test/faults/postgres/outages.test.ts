import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { callExample, exampleOf, type Operation } from '../../support/call-example.ts'
import { Cleanup } from '../../support/cleanup.ts'
import { PostgresProxy } from '../../support/postgres-proxy.ts'
import { runStatements } from '../../support/run-statements.ts'
import { serverDatabaseUrl } from '../../support/server-database.ts'
import { until } from '../../support/server.ts'
import { TestApp } from '../../support/test-app.ts'

describe('a server whose PostgreSQL', { timeout: 120_000 }, () => {
  const cleanup = new Cleanup()
  let url: string
  let proxy: PostgresProxy
  let app: TestApp
  let routes: { method: string; path: string; operation: Operation }[]
  before(async () => {
    url = (await serverDatabaseUrl())!
    proxy = await PostgresProxy.start(cleanup, url)
    const env = { CARREL_SWEEP_INTERVAL_MS: '100', CARREL_SIGN_INS_PER_MINUTE: '0' }
    app = await TestApp.start({ env, databaseUrl: proxy.url })
    const { body } = await app.call('GET', '/openapi.json', undefined, { token: null })
    routes = Object.entries(body.paths as Record<string, Record<string, Operation>>).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
    )
  })
  after(async () => {
    await app.stop()
    await cleanup.run()
  })

  const health = async () => {
    const { status, body } = await app.call('GET', '/health', undefined, { token: null })
    assert.equal(status, 200)
    return body.helpers.database
  }
  const isDegraded = async (reason: string) => {
    await until(health, (found) => found.status === 'degraded' && found.reason === reason)
  }

  /** Asserts that the server and its periodic work go on by themselves, and that the log has few lines of it all. */
  async function worksAgain(loggedBefore: number): Promise<void> {
    await until(health, ({ status }) => status === 'ok')
    assert.equal((await app.shell('echo hi')).stdout, 'hi\n')
    await app.engine.recorder.flush()
    const messages = app
      .log()
      .slice(loggedBefore)
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { msg: string }).msg)
    const of = (text: string) => messages.filter((message) => message.includes(text)).length
    assert.equal(of('the database fails'), 1, messages.join('\n'))
    assert.equal(of('the database works again'), 1, messages.join('\n'))
    assert.ok(messages.length < 30, messages.join('\n'))
  }

  /** Calls every route with its example. Asserts that each works without the database, or says that it is away. */
  async function callAll(message: string): Promise<void> {
    let refused = 0
    for (const { method, path, operation } of routes) {
      const isStream = operation.responses['200']?.content?.['text/event-stream'] !== undefined
      if (operation.responses['101'] || isStream) continue
      const answer = await callExample(app, { method, path, ...exampleOf(operation) }, app.token)
      const text = JSON.stringify(answer.body)
      const called = `${method} ${path}: ${answer.status} ${text}`
      assert.ok(answer.status < 500 || answer.status === 501 || answer.status === 503, called)
      if (answer.status !== 503) continue
      refused++
      assert.ok(text.includes(message), called)
      assert.doesNotMatch(text, /PGSQL|postgres|ECONN|ENOENT|select|carrel-proxy/, called)
      if ('retryable' in answer.body) assert.equal(answer.body.retryable, true, called)
    }
    assert.ok(refused > 50, `${refused} routes`)
  }

  test('refuses connections says so on every route and in its health, and goes on by itself', async () => {
    const from = app.log().length
    await proxy.refuse()
    await isDegraded('it does not answer')
    await callAll('The database does not answer')
    await proxy.accept()
    await worksAgain(from)
  })

  test('says nothing any more says so, at once as soon as it is known', async () => {
    const from = app.log().length
    proxy.silence()
    const { status, body } = await app.call('GET', '/users/me')
    assert.deepEqual([status, body.code, body.error], [503, 'UNAVAILABLE', 'The database does not answer'])
    await isDegraded('it does not answer')
    await callAll('The database does not answer')
    await proxy.accept()
    await worksAgain(from)
  })

  test('has become read-only says so', async () => {
    const from = app.log().length
    const name = new URL(url).pathname.slice(1)
    await runStatements(url, `alter database ${name} set default_transaction_read_only = on`)
    proxy.cut()
    await isDegraded('it is read-only')
    const written = await app.post('/memory/write', { path: 'file', content: 'x' })
    assert.deepEqual(
      [written.status, written.body.code, written.body.error],
      [503, 'UNAVAILABLE', 'The database is read-only'],
    )
    const writable = ['set default_transaction_read_only = off', `alter database ${name} reset all`]
    await runStatements(url, ...writable)
    proxy.cut()
    await worksAgain(from)
  })

  test('has a full disk says so', async () => {
    const from = app.log().length
    const full = `begin raise exception using errcode = '53100', message = 'could not extend file'; end`
    const tables = ['processes', 'memory_files', 'nodes', 'tokens']
    await runStatements(
      url,
      `create function fail() returns trigger language plpgsql as $$ ${full} $$`,
      ...tables.map((table) => `create trigger fail before insert or update on ${table} execute function fail()`),
    )
    // The process itself is not refused: its row is written later.
    await app.shell('true')
    await isDegraded('it has no room or no connection left')
    for (const [path, request] of [
      ['/memory/write', { path: 'file', content: 'x' }],
      ['/users/me/api-keys', { name: 'key' }],
    ] as const) {
      const { status, body } = await app.post(path, request)
      assert.deepEqual([status, body.code, body.retryable], [503, 'NO_CAPACITY', true], path)
    }
    await runStatements(url, 'drop function fail cascade')
    await worksAgain(from)
  })

  test('ends connections loses nothing but what was under way on them', async () => {
    const ended = `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`
    const writing = Array.from({ length: 40 }, (_, index) =>
      app.post('/memory/write', { path: `ended-${index}`, content: 'x' }),
    )
    await runStatements(url, ended)
    for (const { status, body } of await Promise.all(writing))
      assert.ok(status === 200 || body.code === 'UNAVAILABLE', JSON.stringify(body))
    await until(
      () => app.post('/memory/write', { path: 'afterwards', content: 'x' }),
      ({ status }) => status === 200,
    )
  })
})
