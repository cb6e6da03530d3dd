import assert from 'node:assert/strict'
import { basename } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { stopComputer } from '../../src/engine/computers/lifecycle/stop.ts'
import { pruneRemoved, removeDataset } from '../../src/engine/environments/datasets/remove-samples.ts'
import { addSample } from '../support/sample.ts'
import { until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

describe('sessions on samples', { timeout: 60_000 }, () => {
  let app: TestApp
  let sample: { dataset: string; sample_id: string }
  before(async () => {
    app = await TestApp.start()
    sample = await addSample(app.db, {
      source: { image: app.engine.defaultImage.id },
      workdir: '/tmp/task',
      env: { OF_TASK: 'yes' },
    })
  })
  after(() => app.stop())

  const read = async (id: string) => (await app.call('GET', `/sessions/${id}`)).body
  const inState = (id: string, status: string) =>
    until(
      () => read(id),
      (session) => session.status === status,
    )
  const create = async (more: object = {}) => {
    const { status, body } = await app.post('/sessions', { ...sample, ...more })
    assert.equal(status, 200, JSON.stringify(body))
    return body.session_id as string
  }
  const ready = async (more: object = {}) => {
    const id = await create(more)
    await inState(id, 'ready')
    return id
  }
  const begin = async (id: string, body: object) => {
    const answer = await app.post(`/sessions/${id}/exec`, body)
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return answer.body.interaction_id as string
  }
  const ended = async (id: string, interaction: string) =>
    (await app.call('GET', `/sessions/${id}/interactions/${interaction}?wait_seconds=20`)).body
  const exec = async (id: string, command: string, more: object = {}) =>
    ended(id, await begin(id, { command, ...more }))

  test('a session is a computer of its sample, until it is closed', async () => {
    const id = await create({ ttl_minutes: 5 })
    const session = await inState(id, 'ready')
    assert.equal(session.container_info.container_name, `session-${id}`)
    assert.equal(session.container_info.status, 'running')
    assert.equal(Date.parse(session.expires_at) - Date.parse(session.created_at) >= 300_000, true)
    assert.equal(session.error, null)
    const done = await exec(id, 'pwd; echo $OF_TASK; echo to-err >&2; exit 3')
    assert.deepEqual(
      [done.status, done.exit_code, done.success, done.stdout, done.stderr, done.truncated],
      ['completed', 3, false, '/tmp/task\nyes\n', 'to-err\n', false],
    )
    const closed = await app.call('DELETE', `/sessions/${id}`)
    assert.equal(closed.status, 200)
    assert.equal(closed.body.duration_seconds > 0, true)
    const after = await read(id)
    assert.deepEqual([after.status, after.container_info], ['closed', null])
    assert.equal(await app.driver.get(id), undefined)
    assert.equal((await app.call('DELETE', `/sessions/${id}`)).body.duration_seconds, closed.body.duration_seconds)
    assert.equal((await ended(id, done.interaction_id)).stdout, '/tmp/task\nyes\n')
  })

  test('a session ends when its time to live is over, unless it was extended', async (t) => {
    const [one, other] = [await ready({ ttl_minutes: 1 }), await ready({ ttl_minutes: 1 })]
    const extended = await app.post(`/sessions/${other}/extend`, { ttl_minutes: 10 })
    assert.equal(extended.status, 200, JSON.stringify(extended.body))
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 60_500 })
    const refused = await app.post(`/sessions/${one}/exec`, { command: 'true' })
    assert.deepEqual([refused.status, refused.body.detail.code], [409, 'CONFLICT'])
    for (const id of [one, other])
      app.engine.sessionWatch.watch(
        await app.db.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirstOrThrow(),
      )
    const over = await inState(one, 'terminated')
    t.mock.timers.reset()
    assert.equal(over.error.code, 'EXPIRED')
    assert.equal((await read(other)).status, 'ready')
    assert.equal((await exec(other, 'echo here')).stdout, 'here\n')
  })

  test('a session whose computer stops is terminated, and what ran in it has failed', async () => {
    const id = await ready()
    const interaction = await begin(id, { command: 'echo early; sleep 1000' })
    const row = await app.db.selectFrom('computers').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
    await app.engine.locks.computer(id, () => stopComputer(app.engine, row, 'billing', 'out_of_credits'))
    const session = await inState(id, 'terminated')
    assert.match(session.error.message, /no credit/)
    const done = await ended(id, interaction)
    assert.deepEqual([done.status, done.exit_code, done.stdout], ['error', -1000, 'early\n'])
    assert.match(done.message, /session has ended/)
    assert.equal((await app.post(`/sessions/${id}/exec`, { command: 'true' })).status, 409)
  })

  test('what a task lacks makes the session an error with its reason', async () => {
    const lacking = await addSample(app.db, { source: { image: 'not-here' } })
    const id = await create(lacking)
    const { error } = await inState(id, 'error')
    assert.equal(error.code, 'IMAGE_MISSING')
    assert.match(error.message, /"not-here"/)
    const unhealthy = await create(
      await addSample(app.db, {
        source: { image: basename(app.engine.settings.image) },
        healthcheck: {
          command: 'false',
          intervalMs: 1,
          timeoutMs: 1000,
          startPeriodMs: 0,
          startIntervalMs: 1,
          retries: 2,
        },
      }),
    )
    assert.match((await inState(unhealthy, 'error')).error.message, /health check/)
    assert.equal(await app.driver.get(unhealthy), undefined)
    const closed = await addSample(app.db, { source: { image: 'x' }, network: 'none' })
    const refused = await app.post('/sessions', closed)
    assert.equal(refused.status, 422)
    assert.match(JSON.stringify(refused.body.detail), /network/)
  })

  test('a removed dataset keeps the version that a session works on, until it ends', async () => {
    const own = await addSample(app.db, { source: { image: app.engine.defaultImage.id } })
    const id = await ready(own)
    await removeDataset(app.engine, own.dataset)
    assert.equal((await app.post('/sessions', own)).status, 404)
    const versions = () =>
      app.db
        .selectFrom('samples')
        .innerJoin('sessions', 'sample_version_id', 'samples.id')
        .where('sessions.id', '=', id)
    assert.equal((await versions().select('samples.id').execute()).length, 1)
    await app.call('DELETE', `/sessions/${id}`)
    await pruneRemoved(app.engine)
    assert.deepEqual(await versions().select('samples.id').execute(), [])
    assert.equal((await read(id)).dataset, own.dataset)
  })

  test('a command ends at its time limit, with 124 and a message', async () => {
    const id = await ready()
    const done = await exec(id, 'echo before; sleep 1000', { command_timeout: 1 })
    assert.deepEqual([done.status, done.exit_code, done.reason, done.stdout], ['completed', 124, 'timeout', 'before\n'])
    assert.match(done.message, /1 s/)
  })

  test('str_replace() changes a file whose text is there once, and says why not otherwise', async () => {
    const id = await ready()
    await exec(
      id,
      'printf "one\\ntwo\\none\\n" > a.txt; chmod 750 a.txt; ln -s a.txt link; printf "\\377\\000" > binary',
    )
    const replace = async (file_path: string, str_to_replace: string, str_to_insert = 'TWO') => {
      const { status, body } = await app.post(`/sessions/${id}/str_replace`, {
        file_path,
        str_to_replace,
        str_to_insert,
      })
      assert.equal(status, 200, JSON.stringify(body))
      return [body.success, body.message]
    }
    assert.deepEqual(await replace('a.txt', 'one'), [
      false,
      'Cannot replace the text in "/tmp/task/a.txt": it occurs 2 times, on lines 1, 3; add what is around it until it occurs once',
    ])
    assert.match(String(await replace('a.txt', 'three')), /false,.*0 times/)
    assert.deepEqual(await replace('a.txt', 'two\n'), [true, 'Replaced the text in "/tmp/task/a.txt", line 2'])
    assert.equal((await replace('link', 'TWO', '2\n'))[0], true)
    assert.equal((await exec(id, 'cat a.txt; stat -c %a a.txt; readlink link')).stdout, 'one\n2\none\n750\na.txt\n')
    for (const [path, why] of [
      ['/tmp', /directory/],
      ['binary', /binary/],
      ['missing', /no such|not exist|missing/i],
      ['/proc/1/environ', /not on the disk/],
    ] as const) {
      const [success, message] = await replace(path, 'x')
      assert.equal(success, false, path)
      assert.match(message, why)
    }
    const { body } = await app.call('GET', `/sessions/${id}/interactions?page_size=2&page=2`)
    assert.equal(body.total_count, 10)
    assert.deepEqual(
      body.interactions.map(({ kind, success }: { kind: string; success: boolean }) => [kind, success]),
      [
        ['str_replace', false],
        ['str_replace', true],
      ],
    )
  })

  test('a file goes up and comes down', async () => {
    const id = await ready()
    const headers = { 'content-type': 'application/octet-stream', authorization: `Bearer ${app.token}` }
    const put = await fetch(`${app.url}/sessions/${id}/files?path=new/a.bin`, {
      method: 'PUT',
      headers,
      body: new Uint8Array([0, 255, 1]),
    })
    assert.deepEqual([put.status, await put.json()], [200, { path: '/tmp/task/new/a.bin' }])
    const got = await fetch(`${app.url}/sessions/${id}/files?path=/tmp/task/new/a.bin`, { headers })
    assert.deepEqual(new Uint8Array(await got.arrayBuffer()), new Uint8Array([0, 255, 1]))
  })

  test('an Idempotency-Key gives the same session, and runs a command once', async () => {
    const options = { headers: { 'idempotency-key': 'one-session' } }
    const [one, two] = [await app.post('/sessions', sample, options), await app.post('/sessions', sample, options)]
    assert.equal(one.body.session_id, two.body.session_id)
    await inState(one.body.session_id, 'ready')
    const again = { headers: { 'idempotency-key': 'one-command' } }
    const path = `/sessions/${one.body.session_id}/exec`
    const first = await app.post(path, { command: 'echo ran >> log' }, again)
    const second = await app.post(path, { command: 'echo ran >> log' }, again)
    assert.equal(first.body.interaction_id, second.body.interaction_id)
    await ended(one.body.session_id, first.body.interaction_id)
    assert.equal((await exec(one.body.session_id, 'cat log')).stdout, 'ran\n')
  })

  test('a session is charged while it is ready, by the price that is told', async (t) => {
    const token = await app.newAccount('payer')
    const { body } = await app.post('/sessions', sample, { token })
    const id = body.session_id as string
    const ask = async (method: string, path: string) => (await app.call(method, path, undefined, { token })).body
    await until(
      () => ask('GET', `/sessions/${id}`),
      ({ status }) => status === 'ready',
    )
    // Two minutes later, by the clock of the meter too.
    t.mock.method(performance, 'now', shifted(performance.now.bind(performance), 120_000))
    t.mock.method(Date, 'now', shifted(Date.now, 120_000))
    const closed = await ask('DELETE', `/sessions/${id}`)
    t.mock.restoreAll()
    assert.ok(closed.duration_seconds >= 120)
    const { cost_per_minute_cents: price } = await ask('GET', '/billing/pricing')
    const usage = await ask('GET', '/billing/usage?transaction_types=session_usage&transaction_types=refund')
    const [charge, ...others] = usage.transactions
    assert.deepEqual([others, charge.session_id, charge.type], [[], id, 'session_usage'])
    assert.ok(charge.duration_minutes >= 2)
    assert.ok(Math.abs(charge.amount_cents - charge.duration_minutes * price) < 0.02 * price, JSON.stringify(charge))
    assert.deepEqual([usage.summary.total_sessions, usage.pagination.total_items], [1, 1])
    const all = await ask('GET', '/billing/usage')
    assert.deepEqual(
      all.transactions.map(({ type }: { type: string }) => type),
      ['session_usage', 'deposit'],
    )
    const bad = await app.call('GET', '/billing/usage?start_date=never', undefined, { token })
    assert.equal(bad.status, 422)
  })

  test('bad requests are refused in the form of FastAPI', async () => {
    const id = await ready()
    for (const [path, body, status] of [
      ['/sessions', { ...sample, ttl_minutes: 0 }, 422],
      ['/sessions', { ...sample, ttl_minutes: 1e9 }, 422],
      ['/sessions', { ...sample, ttl_minutes: 'x' }, 422],
      ['/sessions', { ...sample, version: 7 }, 404],
      ['/sessions', { ...sample, sample_id: '../../etc/passwd' }, 404],
      ['/sessions', { ...sample, sample_id: 'x'.repeat(4000) }, 422],
      ['/sessions', { dataset: 'none', sample_id: 'one' }, 404],
      ['/sessions', { sample_id: 'one' }, 422],
      [`/sessions/${id}/exec`, { command: '' }, 422],
      [`/sessions/${id}/exec`, { command: 'a\0b' }, 422],
      [`/sessions/${id}/exec`, { command: 'true', command_timeout: 0 }, 422],
      [`/sessions/${id}/exec`, { command: 'true', shell: 'other' }, 422],
      [`/sessions/${id}/extend`, { ttl_minutes: 1e9 }, 422],
      [`/sessions/${id}/str_replace`, { file_path: 'a', str_to_replace: '', str_to_insert: '' }, 422],
      ['/sessions/..%2f..%2fetc/exec', { command: 'true' }, 404],
      ['/sessions/none/exec', { command: 'true' }, 404],
    ] as const) {
      const answer = await app.post(path, body)
      assert.equal(
        answer.status,
        status,
        `${path} ${JSON.stringify(body).slice(0, 100)} ${JSON.stringify(answer.body)}`,
      )
      const { detail } = answer.body
      if (status === 422) assert.ok(Array.isArray(detail) && detail[0].loc, JSON.stringify(detail))
      else assert.equal(detail.code, 'NOT_FOUND')
    }
    assert.equal((await app.call('GET', `/sessions/${id}/interactions/none`)).status, 404)
  })
})

test(
  'a session that was answered and not made ready is made ready by the next server',
  { timeout: 60_000 },
  async () => {
    const first = await TestApp.start()
    const sample = await addSample(first.db, { source: { image: first.engine.defaultImage.id } })
    // The server is killed between its answer and the work.
    first.engine.operations.begin = () => {}
    const { body } = await first.post('/sessions', sample)
    assert.equal(body.status, 'creating')
    const closed = (await first.post('/sessions', sample)).body.session_id
    assert.equal((await first.call('DELETE', `/sessions/${closed}`)).body.duration_seconds, 0)
    await first.stop('SIGKILL')
    const next = await TestApp.start()
    try {
      const read = async (id: string) => (await next.call('GET', `/sessions/${id}`)).body
      await until(
        () => read(body.session_id),
        ({ status }) => status === 'ready',
      )
      assert.equal((await read(closed)).status, 'closed')
      assert.equal((await next.driver.get(body.session_id))?.running, true)
      assert.equal(await next.driver.get(closed), undefined)
      await next.call('DELETE', `/sessions/${body.session_id}`)
    } finally {
      await next.stop()
    }
  },
)

function shifted(now: () => number, byMs: number): () => number {
  return () => now() + byMs
}
