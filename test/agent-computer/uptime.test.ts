import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Compile } from 'typebox/compile'
import { uptimeAnswer } from '../../src/apis/agent-computer/schemas.ts'
import { computerPages } from '../../src/drivers/driver-pages.ts'
import type { ExecSpec } from '../../src/drivers/driver.ts'
import { recoverProcesses } from '../../src/engine/computers/processes/recover-processes.ts'
import { newId } from '../../src/engine/ids.ts'
import { assertWholePage } from '../support/assert-html.ts'
import { newSession, until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

const services = ['api', 'exec', 'previews', 'database']

describe('the services of a server', { timeout: 60_000 }, () => {
  let app: TestApp
  before(async () => {
    app = await TestApp.start({ env: { CARREL_WARM_COMPUTERS: '1' } })
    await until(
      () => app.engine.warmPool.ready,
      (ready) => ready === 1,
    )
  })
  after(() => app.stop())

  const answer = async () => (await app.call('GET', '/v1/status/uptime', undefined, { token: null })).body
  const page = async () => (await fetch(`${app.url}/status`)).text()
  const statusOf = async (slug: string) =>
    (await answer()).services.find((service: { slug: string }) => service.slug === slug).status

  test('are unknown before the first check', async () => {
    const body = await answer()
    assert.deepEqual(
      body.services.map(({ slug, status }: { slug: string; status: string }) => [slug, status]),
      services.map((slug) => [slug, 'unknown']),
    )
    assert.match(await page(), /The first check is under way/)
  })

  test('are checked by being used, and answered in the shape of the document', async () => {
    await app.engine.uptime.check()
    const body = await answer()
    assert.deepEqual([...Compile(uptimeAnswer).Errors(body)], [])
    assert.deepEqual(
      body.services.map(({ slug, status }: { slug: string; status: string }) => [slug, status]),
      services.map((slug) => [slug, 'operational']),
    )
    assert.deepEqual([body.history_dates.length, body.history_dates.at(-1)], [90, body.checked_at.slice(0, 10)])
    for (const slug of services) {
      assert.deepEqual([body.history[slug].length, body.hourly_history[slug].length], [90, 24])
      assert.deepEqual([body.history[slug].at(-1), body.hourly_history[slug].at(-1)], ['operational', 'operational'])
      assert.deepEqual([body.history[slug][0], body.uptime_percent[slug]], ['unknown', 100])
    }
  })

  test('of which one runs a program, leave no trace of it', async () => {
    const { engine, db, driver } = app
    const traces = async () => {
      const found: Record<string, unknown> = { retained: await Array.fromAsync(driver.retainedProcesses()) }
      for (const table of ['processes', 'events', 'usage_intervals', 'usage_days', 'compute_marks'] as const)
        found[table] = await db.selectFrom(table).selectAll().execute()
      return { ...found, processes: driver.processes(), started: engine.startedProcesses }
    }
    const earlier = await traces()
    const exec = driver.exec.bind(driver)
    const specs: ExecSpec[] = []
    driver.exec = (id, spec) => {
      specs.push(spec)
      // Nobody gets the computer meanwhile.
      assert.equal(engine.warmPool.ready, 0)
      return exec(id, spec)
    }
    await engine.uptime.check()
    driver.exec = exec
    assert.deepEqual(
      specs.map(({ argv }) => argv),
      [['true']],
    )
    await engine.recorder.flush()
    assert.deepEqual(await traces(), earlier)
    assert.equal(engine.warmPool.ready, 1)
    assert.equal(engine.budgets.processDescriptors.held, 0)
  })

  test('of which one runs a program: what a killed server left of it is forgotten', async () => {
    const { engine, db, driver } = app
    const { value: computers } = await computerPages(driver).next()
    const processId = newId()
    const common = { env: { PATH: '/usr/bin:/bin' }, cwd: '/', user: 'root', stdin: false }
    const process = await driver.exec(computers![0]!.id, {
      processId,
      argv: ['true'],
      ...common,
      meta: { kind: 'probe' },
    })
    await process.wait()
    await recoverProcesses(engine)
    await until(
      () => driver.process(processId),
      (found) => found === undefined,
    )
    await engine.recorder.flush()
    assert.deepEqual(await db.selectFrom('processes').select('id').where('id', '=', processId).execute(), [])
  })

  test('are unknown where there is no computer to try', async () => {
    const { warmPool, settings, uptime } = app.engine
    settings.warmComputers = 0
    await app.shell('true', { sessionId: newSession() })
    assert.equal(warmPool.ready, 0)
    await uptime.check()
    assert.equal(await statusOf('exec'), 'unknown')
  })

  for (const [slug, breakIt] of [
    ['api', () => ((app.engine.server.isStarted = false), () => (app.engine.server.isStarted = true))],
    [
      'database',
      () => {
        app.engine.server.helpers.report('database', 'it is slow')
        return () => app.engine.server.helpers.report('database')
      },
    ],
  ] as const)
    test(`page and answer agree on ${slug} that does not work`, async () => {
      const repair = breakIt()
      await app.engine.uptime.check()
      repair()
      const [body, text] = [await answer(), await page()]
      assertWholePage(text)
      const words = { operational: 'Operational', degraded: 'Degraded', down: 'Down', unknown: 'No data' }
      assert.notEqual(await statusOf(slug), 'operational')
      const shown = [...text.matchAll(/<h2>(\w+)<\/h2>[^]*?<b class="\w+">([\w ]+)<\/b>/g)].map(([, name, word]) => [
        name,
        word,
      ])
      assert.deepEqual(
        shown,
        body.services.map(({ name, status }: { name: string; status: keyof typeof words }) => [name, words[status]]),
      )
      for (const percent of Object.values<number>(body.uptime_percent))
        assert.ok(text.includes(`${percent === 100 ? '100' : percent.toFixed(2)} % uptime`), String(percent))
      await app.engine.uptime.check()
    })

  test('cost nothing to read: answer and page are made once for each check', async () => {
    const { uptime } = app.engine
    const etags = async () =>
      Promise.all(
        ['/v1/status/uptime', '/status'].map(async (path) => {
          const response = await fetch(app.url + path)
          const etag = response.headers.get('etag')!
          const again = await fetch(app.url + path, { headers: { 'if-none-match': etag } })
          assert.deepEqual([response.status, again.status], [200, 304], path)
          return etag
        }),
      )
    const { summary } = uptime
    const reads: string[] = []
    const watched = new Proxy(summary, {
      get: (target, key) => (reads.push(String(key)), Reflect.get(target, key) as unknown),
    })
    Object.defineProperty(uptime, 'summary', { value: watched, configurable: true })
    const first = await etags()
    const made = reads.length
    assert.ok(made > 0)
    for (let count = 0; count < 20; count++) assert.deepEqual(await etags(), first)
    assert.equal(reads.length, made)
    delete (uptime as { summary?: unknown }).summary
  })
})

describe('the probes for those who run the server', { timeout: 60_000 }, () => {
  let app: TestApp
  before(async () => {
    app = await TestApp.start()
  })
  after(() => app.stop())

  const get = async (path: string) => {
    const { status, body } = await app.call('GET', path, undefined, { token: null })
    return [status, body.status ?? body.error] as const
  }

  test('say ok without a token', async () => {
    for (const path of ['/healthz', '/readyz']) assert.deepEqual(await get(path), [200, 'ok'])
  })

  for (const [when, begin, reason] of [
    ['it starts', () => void (app.engine.server.isStarted = false), /the server is starting/],
    [
      'its database fails',
      () => {
        app.engine.server.isStarted = true
        app.engine.databaseHealth.report('lease', new Error('gone'))
      },
      /^The database/,
    ],
    [
      'it stops',
      () => {
        app.engine.databaseHealth.report('lease')
        Object.defineProperty(app.engine.server, 'stopping', { value: AbortSignal.abort() })
      },
      /shutting down/,
    ],
  ] as const)
    test(`the server is not ready while ${when}, though it answers`, async () => {
      assert.deepEqual((await get('/readyz'))[0], 200, 'before')
      begin()
      const [status, error] = await get('/readyz')
      assert.equal(status, 503)
      assert.equal(error.code, 'unavailable')
      assert.match(error.message, reason)
      assert.deepEqual(await get('/healthz'), [200, 'ok'])
      app.engine.server.isStarted = true
      app.engine.databaseHealth.report('lease')
    })
})
