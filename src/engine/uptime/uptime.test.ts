import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import { refuseRows } from '../../../test/support/refuse-rows.ts'
import { openTestDatabase } from '../../../test/support/test-database.ts'
import { limits } from '../../config/limits.ts'
import { claimNode } from '../nodes/claim-node.ts'
import type { Probe } from './run-probe.ts'
import { dayMs, hourMs, pruneUptime } from './uptime-hours.ts'
import { Uptime } from './uptime.ts'

const log = pino({ level: 'silent' })
const facts = { address: 'http://127.0.0.1:1', cpus: 1, memory_bytes: 2, disk_bytes: 3 }
const never = new AbortController().signal
const works: Probe = async () => 'operational'
const fails: Probe = () => Promise.reject(new Error('broken'))
const hangs: Probe = () => new Promise(() => {})

/** Half past nine in the morning of a day of UTC. */
const now = Date.UTC(2026, 4, 20, 9, 30)

/** A database at that time, what checks services over it, and the checks of a number of minutes. */
async function open(t: TestContext) {
  t.mock.timers.enable({ apis: ['Date'], now })
  const db = await openTestDatabase(t)
  const serve = async (id = 'a', bounds: { timeoutMs?: number; slowMs?: number; stopping?: AbortSignal } = {}) =>
    new Uptime({ db, node: await claimNode(db, id, facts), log, stopping: never, ...bounds })
  const checks = async (uptime: Uptime, count: number) => {
    for (let done = 0; done < count; done++) await uptime.check()
  }
  const rows = () => db.selectFrom('uptime_hours').selectAll().orderBy('starts_at').orderBy('node_id').execute()
  return { db, serve, checks, rows }
}

const stateOf = (uptime: Uptime, slug = 'x') => uptime.summary.services.find((service) => service.slug === slug)!

for (const [what, probe, bounds, status] of [
  ['works', works, {}, 'operational'],
  ['works with an impaired helper', async () => 'degraded', {}, 'degraded'],
  ['is slow', works, { slowMs: 0 }, 'degraded'],
  ['fails', fails, {}, 'down'],
  [
    'fails at once',
    () => {
      throw new Error('broken')
    },
    {},
    'down',
  ],
  ['hangs', hangs, { timeoutMs: 1 }, 'down'],
  ['cannot be tried', async () => 'unknown', {}, 'unknown'],
] as const satisfies [string, Probe, { slowMs?: number; timeoutMs?: number }, string][])
  test(`a service that ${what} is ${status}, and delays no other`, async (t) => {
    const { serve } = await open(t)
    const uptime = await serve('a', bounds)
    uptime.add('x', 'X', probe)
    uptime.add('other', 'Other', async () => 'degraded')
    await uptime.check()
    const { status: found, responseMs, hours, percent } = stateOf(uptime)
    assert.equal(found, status)
    assert.equal(hours.at(-1)!.status, status)
    assert.equal(percent, { operational: 100, degraded: 100, down: 0, unknown: undefined }[status])
    if (status === 'unknown') assert.equal(responseMs, 0)
    assert.equal(stateOf(uptime, 'other').status, 'degraded')
  })

test('a probe that hangs gets a signal, and is not started again before it has ended', async (t) => {
  const { serve, checks, rows } = await open(t)
  const uptime = await serve('a', { timeoutMs: 1 })
  const calls: AbortSignal[] = []
  const { promise, resolve } = Promise.withResolvers<'operational'>()
  uptime.add('x', 'X', (signal) => {
    calls.push(signal)
    return promise
  })
  await checks(uptime, 3)
  assert.deepEqual([calls.length, calls[0]!.aborted, (await rows())[0]!.down], [1, true, 3])
  resolve('operational')
  await promise
  await uptime.check()
  assert.deepEqual([calls.length, stateOf(uptime).status], [2, 'operational'])
})

test('checks add up to hours, and hours to days; a server that starts continues with them', async (t) => {
  const { serve, checks } = await open(t)
  let probe = works
  const first = await serve()
  first.add('x', 'X', (signal) => probe(signal))
  await checks(first, 2)
  t.mock.timers.tick(hourMs)
  probe = fails
  await checks(first, 1)
  t.mock.timers.tick(dayMs)
  probe = works
  const second = await serve()
  second.add('x', 'X', (signal) => probe(signal))
  await checks(second, 1)
  const { days, hours, percent } = stateOf(second)
  assert.deepEqual(
    [days.length, hours.length, days.at(-1)!.startsAt, hours.at(-1)!.startsAt],
    [90, 24, Date.UTC(2026, 4, 21), Date.UTC(2026, 4, 21, 10)],
  )
  assert.deepEqual(
    days.slice(-3).map(({ status, counts }) => [status, counts.operational, counts.down]),
    [
      ['unknown', 0, 0],
      ['down', 2, 1],
      ['operational', 1, 0],
    ],
  )
  assert.ok(hours.slice(0, -1).every(({ status }) => status === 'unknown'))
  assert.equal(percent, 75)
})

test('hours are counted once as they become earlier ones', async (t) => {
  const { serve, checks } = await open(t)
  const uptime = await serve()
  uptime.add('x', 'X', works)
  let done = 0
  for (let hour = 0; hour < 50; hour++) {
    await checks(uptime, 2)
    done += 2
    const counted = stateOf(uptime).days.reduce((sum, { counts }) => sum + counts.operational, 0)
    assert.equal(counted, done)
    t.mock.timers.tick(hourMs)
  }
})

test('what the database refuses is shown, and written when the database accepts it again', async (t) => {
  const { db, serve, rows } = await open(t)
  const uptime = await serve()
  uptime.add('x', 'X', fails)
  const accept = await refuseRows(db, 'uptime_hours', 'slug', 'x')
  await assert.rejects(uptime.check())
  t.mock.timers.tick(hourMs)
  await assert.rejects(uptime.check())
  assert.deepEqual(
    stateOf(uptime)
      .hours.slice(-2)
      .map(({ counts }) => counts.down),
    [1, 1],
  )
  assert.deepEqual(await rows(), [])
  await accept(db)
  await uptime.check()
  assert.deepEqual(
    (await rows()).map(({ starts_at, down }) => [starts_at, down]),
    [
      [Date.UTC(2026, 4, 20, 9), 1],
      [Date.UTC(2026, 4, 20, 10), 2],
    ],
  )
  assert.equal(stateOf(uptime).days.at(-1)!.counts.down, 3)
})

test('hours older than the days of the summary are deleted, and no others', async (t) => {
  const { db, serve, rows } = await open(t)
  const uptime = await serve()
  uptime.add('x', 'X', works)
  const firstDay = Date.UTC(2026, 4, 20) - (limits.uptimeDays - 1) * dayMs
  for (const at of [firstDay - 1, firstDay]) {
    t.mock.timers.setTime(at)
    await uptime.check()
  }
  t.mock.timers.setTime(now)
  await pruneUptime({ db })
  assert.deepEqual(
    (await rows()).map(({ starts_at }) => starts_at),
    [firstDay],
  )
  await uptime.check()
  assert.equal(stateOf(uptime).days[0]!.status, 'operational')
})

test('each node writes its own rows, and the summary of each covers both while both run', async (t) => {
  const { db, serve, rows } = await open(t)
  const [first, second] = [await serve('a'), await serve('b')]
  first.add('x', 'X', works)
  second.add('x', 'X', fails)
  await first.check()
  await second.check()
  await first.check()
  assert.deepEqual(
    (await rows()).map(({ node_id, operational, down }) => [node_id, operational, down]),
    [
      ['a', 2, 0],
      ['b', 0, 1],
    ],
  )
  for (const uptime of [first, second]) assert.equal(stateOf(uptime).status, 'degraded')
  assert.deepEqual(stateOf(first).hours.at(-1)!.counts, { operational: 2, degraded: 0, down: 1 })
  // The second server stops, and another server takes its node over: neither has a state, or writes, any more.
  t.mock.timers.tick(3 * limits.uptimeCheckMs)
  await first.check()
  assert.equal(stateOf(first).status, 'operational')
  await claimNode(db, 'b', facts)
  await assert.rejects(second.check(), { code: 'unavailable' })
  assert.equal((await rows()).find(({ node_id }) => node_id === 'b')!.down, 1)
})

test('a server that stops records nothing more: what ends with it is not down', async (t) => {
  const { serve, rows } = await open(t)
  const stopping = new AbortController()
  const uptime = await serve('a', { stopping: stopping.signal })
  uptime.add('x', 'X', hangs)
  const checked = uptime.check()
  stopping.abort()
  await checked
  await uptime.check()
  assert.deepEqual(await rows(), [])
})

test('the summary is a new one after each check alone, and a slug is that of one service', async (t) => {
  const { serve } = await open(t)
  const uptime = await serve()
  uptime.add('x', 'X', works)
  assert.throws(() => uptime.add('x', 'Y', works), /there is one of that name/)
  const { summary } = uptime
  assert.equal(uptime.summary, summary)
  assert.equal(stateOf(uptime).status, 'unknown')
  await uptime.check()
  assert.notEqual(uptime.summary, summary)
  assert.equal(uptime.summary, uptime.summary)
})
