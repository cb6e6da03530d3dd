import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openDatabase } from '../../src/db/open.ts'
import type { ComputerState } from '../../src/db/schema.ts'
import { LocalDriver } from '../../src/drivers/local/local-driver.ts'
import { Slots } from '../../src/drivers/local/network/slots.ts'
import { openPool } from '../../src/drivers/local/storage/pool.ts'
import { newId } from '../../src/engine/ids.ts'
import { smallLimits } from '../driver/subject.ts'
import { newSession, testDataDirectory, testNetwork, TestServer, until } from '../support/server.ts'
import { computerRow, computerRows, hostTraces, mountedRoots, paths, tracesOf } from './host-traces.ts'

let server: TestServer | undefined
after(() => server?.stop())

/** Settings without pools, so that everything on the host belongs to a computer. */
const bare = { CARREL_NETWORK_POOL: '0', CARREL_WARM_COMPUTERS: '0' }

/** Asserts that the traces on the host are exactly those of the computers that are recorded as running. */
async function assertOwned(): Promise<void> {
  const rows = await computerRows()
  const odd = rows.filter(({ state }) => !['running', 'stopped', 'failed'].includes(state))
  assert.deepEqual(
    odd.map(({ id, state }) => `${id} is ${state}`),
    [],
  )
  const running = rows
    .filter(({ state }) => state === 'running')
    .map(({ id }) => id)
    .toSorted()
  const traces = hostTraces()
  // Files of computers that last stay while those are stopped, also those of another test.
  const lasting = new Set(
    rows.filter(({ lifecycle, state }) => lifecycle === 'durable' && state !== 'running').map(({ id }) => id),
  )
  for (const kind of ['descriptions', 'volumes'] as const)
    assert.deepEqual(
      traces[kind].filter((id) => !lasting.has(id)),
      running,
      kind,
    )
  for (const kind of ['containers', 'cgroups'] as const) assert.deepEqual(traces[kind], running, kind)
  assert.equal(traces.slots.length, running.length)
  assert.deepEqual(traces.namespaces, traces.slots, 'namespaces')
  assert.deepEqual(traces.interfaces, traces.slots, 'interfaces')
  const { mounts, directories } = mountedRoots()
  assert.deepEqual(mounts, running, 'mounts')
  assert.deepEqual(directories, running, 'directories of mounts')
}

test('whatever a crash left unfinished is cleared by the next start', async () => {
  server = await TestServer.start({ env: bare })
  const kept = newSession()
  await server.shell('echo kept > /workspace/file', { sessionId: kept })
  await server.stop('SIGKILL')

  const { storage, directory } = await openPool(testDataDirectory)
  const volume = newId()
  await storage.create(join(directory, 'computers', volume))
  await writeFile(join(directory, 'computers', volume, 'file'), 'x')
  const halfDescribed = newId()
  await mkdir(paths.computer(halfDescribed), { recursive: true })
  await writeFile(join(paths.computer(halfDescribed), 'computer.json.new'), '{"id":')
  const slots = new Slots({ directory: paths.slots, interfacePrefix: paths.interfacePrefix, network: testNetwork })
  await slots.create(64_000)
  await mkdir(join(paths.slots, '64001'))
  await writeFile(join(paths.process(newId())), '')
  await writeFile(`${paths.process(newId())}.json`, '{"state":')

  const driver = await LocalDriver.open({
    dataDirectory: testDataDirectory,
    runtime: undefined,
    network: testNetwork,
    allowedAddresses: [],
    resolvers: [],
    networkPoolSize: 0,
  })
  const recipe = fileURLToPath(new URL('../../images/slim', import.meta.url))
  const image = await driver.images.build(recipe, () => {})
  const [running, stopped, paused] = [newId(), newId(), newId()]
  for (const id of [running, stopped, paused]) {
    await driver.create({ id, source: { image: image.id }, hostname: 'x', limits: smallLimits })
    await driver.start(id)
    const argv = ['bash', '-c', 'trap "" TERM; while :; do sleep 0.05; done']
    await driver.exec(id, { processId: newId(), argv, env: image.env, cwd: '/', user: 'node', stdin: false, meta: {} })
  }
  await driver.stop(stopped, 0)
  await driver.pause(paused)
  await driver.close()

  server = await TestServer.start({ env: bare })
  await assertOwned()
  for (const id of [volume, halfDescribed, running, stopped, paused]) assert.deepEqual(tracesOf(id), [], id)
  assert.equal((await server.shell('cat /workspace/file', { sessionId: kept })).stdout, 'kept\n')
})

test('a computer that is recorded in any state but does not exist can be used again', async () => {
  server ??= await TestServer.start({ env: bare })
  const template = newSession()
  await server.shell('true', { sessionId: template })
  const row = (await computerRow(template))!
  await server.stop('SIGKILL')
  const states: ComputerState[] = [
    'provisioning',
    'starting',
    'running',
    'stopping',
    'restarting',
    'resizing',
    'paused',
    'stopped',
    'failed',
    'deleting',
  ]
  const db = await openDatabase(join(testDataDirectory, 'carrel.db'))
  const made = states.map((state) => ({ ...row, id: newId(), name: newSession(), state }))
  const warm = states.map((state) => ({ ...row, id: newId(), account_id: null, name: null, state }))
  await db
    .insertInto('computers')
    .values([...made, ...warm])
    .execute()
  await db.destroy()

  server = await TestServer.start({ env: bare })
  await assertOwned()
  const rows = new Map((await computerRows()).map((each) => [each.id, each.state]))
  for (const { id, state } of made)
    assert.equal(rows.get(id), state === 'deleting' ? undefined : state === 'failed' ? 'failed' : 'stopped', state)
  for (const { id, state } of warm) assert.equal(rows.get(id), undefined, `a warm computer that was ${state}`)
  for (const { name, state } of made) {
    const { stdout } = await server.shell('echo works', { sessionId: name })
    assert.equal(stdout, 'works\n', state)
  }
  await assertOwned()
})

test('a server that is killed while it creates computers leaves no orphans', async (t) => {
  await server?.stop()
  const waits: number[] = []
  for (let round = 0; round < 10; round++) {
    server = await TestServer.start({ env: { CARREL_NETWORK_POOL: '2', CARREL_WARM_COMPUTERS: round % 2 ? '1' : '0' } })
    const requests = Array.from({ length: 3 }, () => server!.shell('echo fine', { sessionId: newSession() }))
    const settled = Promise.allSettled(requests)
    waits.push(Math.random() * 60)
    await delay(waits.at(-1))
    await server.stop('SIGKILL')
    await settled
  }
  t.diagnostic(`killed after ${waits.map(Math.round).join(', ')} ms`)
  server = await TestServer.start({ env: bare })
  await assertOwned()
})

test('a server that is killed while it stops computers leaves no orphans', async (t) => {
  await server?.stop()
  const waits: number[] = []
  for (let round = 0; round < 5; round++) {
    const lease = { CARREL_IDLE_TIMEOUT_S: '1', CARREL_SWEEP_INTERVAL_MS: '50' }
    server = await TestServer.start({ env: { ...lease, CARREL_NETWORK_POOL: '1' } })
    const sessions = Array.from({ length: 4 }, newSession)
    await Promise.all(sessions.map((sessionId) => server!.shell('echo fine', { sessionId })))
    await until(
      async () => (await computerRows()).filter(({ state }) => state === 'stopping').length,
      (count) => count > 0,
    )
    waits.push(Math.random() * 60)
    await delay(waits.at(-1))
    await server.stop('SIGKILL')
  }
  t.diagnostic(`killed ${waits.map(Math.round).join(', ')} ms after the first began to stop`)
  server = await TestServer.start({ env: bare })
  await assertOwned()
})
