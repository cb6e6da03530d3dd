import assert from 'node:assert/strict'
import { beforeEach, test, type TestContext } from 'node:test'
import type { Listener, ProcessExit, ProcessHandle } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import { desktopCommand, desktopName } from '../desktop/desktop-process.ts'
import { LiveEvents } from '../live-events.ts'
import { PortWatch } from './port-watch.ts'

let listeners: Listener[]
let scans: number
let failure: Error | undefined
let events: string[]
let warnings: number
let watch: PortWatch

beforeEach(() => {
  ;[listeners, scans, failure, events, warnings] = [[], 0, undefined, [], 0]
  const liveEvents = new LiveEvents()
  liveEvents.subscribe('c', (event) => {
    if (event.type === 'computer.state') return
    events.push(`${event.type} ${event.port.port} ${event.port.address} ${event.port.processId}`)
  })
  const readListeners = async () => {
    scans++
    if (failure) throw failure
    return listeners
  }
  const process = (id: string) => (id === 'desktop' ? ({ meta: desktopMeta } as unknown as ProcessHandle) : undefined)
  watch = new PortWatch({ listeners: readListeners, process }, liveEvents, { warn: () => warnings++ })
})

const desktopMeta = { kind: 'kernel', name: desktopName, command: desktopCommand(5900) }

const on = (port: number, processId = 'p', address = '0.0.0.0', reachable = true): Listener => ({
  port,
  address,
  processId,
  reachable,
})

function running(): { process: ProcessHandle; end: () => Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<ProcessExit>()
  const process = { computerId: 'c', processId: 'p', wait: () => promise } as ProcessHandle
  const end = async () => {
    resolve({} as ProcessExit)
    await promise
  }
  return { process, end }
}

/** Advances mocked time in steps, and runs what each step triggers. */
async function pass(t: TestContext, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10) {
    t.mock.timers.tick(10)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('a port is reported once when it opens, once when it closes, and again when it opens again', async () => {
  listeners = [on(8080), on(9090)]
  assert.deepEqual(
    (await watch.scan('c')).map(({ port }) => port),
    [8080, 9090],
  )
  await watch.scan('c')
  listeners = [on(9090)]
  await watch.scan('c')
  listeners = [on(8080), on(9090)]
  await watch.scan('c')
  assert.deepEqual(events, [
    'port.detected 8080 0.0.0.0 p',
    'port.detected 9090 0.0.0.0 p',
    'port.closed 8080 0.0.0.0 p',
    'port.detected 8080 0.0.0.0 p',
  ])
})

test('a port that another process takes over is reported as closed and opened', async () => {
  listeners = [on(8080, 'one')]
  await watch.scan('c')
  listeners = [on(8080, 'two')]
  await watch.scan('c')
  assert.deepEqual(events, [
    'port.detected 8080 0.0.0.0 one',
    'port.closed 8080 0.0.0.0 one',
    'port.detected 8080 0.0.0.0 two',
  ])
})

test('of several sockets on a port, the most widely bound one counts', async () => {
  listeners = [on(80, 'p', '127.0.0.2', false), on(80, 'p', '127.0.0.1'), on(80, 'p', '::')]
  const [port, ...others] = await watch.scan('c')
  assert.deepEqual([port?.address, others], ['::', []])
})

test('the ports of a computer that stopped are closed', async () => {
  listeners = [on(8080)]
  await watch.scan('c')
  failure = new CarrelError('conflict', 'it is stopped')
  assert.deepEqual(await watch.scan('c'), [])
  assert.deepEqual(events, ['port.detected 8080 0.0.0.0 p', 'port.closed 8080 0.0.0.0 p'])
})

test('a failed scan is logged, and closes no port', async () => {
  listeners = [on(8080)]
  await watch.scan('c')
  failure = new Error('sock_diag')
  assert.equal((await watch.scan('c')).length, 1)
  assert.deepEqual([warnings, events], [1, ['port.detected 8080 0.0.0.0 p']])
})

test('of a guest that listens on all ports, 256 are reported', async () => {
  listeners = Array.from({ length: 1000 }, (_, index) => on(10_000 + index))
  assert.equal((await watch.scan('c')).length, 256)
})

test('a new process is scanned soon, then less and less often, and soon again when it prints', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  const { process } = running()
  watch.watch(process)
  await pass(t, 100)
  assert.ok(scans >= 1 && scans <= 2, `${scans} scans in 0.1 s`)
  await pass(t, 10_000)
  const soon = scans
  assert.ok(soon >= 7 && soon <= 12, `${soon} scans in 10 s`)
  await pass(t, 60_000)
  assert.ok(scans - soon <= 4, `${scans - soon} scans in the minute after`)
  const late = scans
  listeners = [on(5173)]
  watch.printed(process)
  await pass(t, 60)
  assert.deepEqual([scans, events], [late + 1, ['port.detected 5173 0.0.0.0 p']])
})

test('constant printing does not delay scans', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  const { process } = running()
  watch.watch(process)
  for (let step = 0; step < 100; step++) {
    watch.printed(process)
    await pass(t, 10)
  }
  assert.ok(scans >= 10 && scans <= 21, `${scans} scans in a second`)
})

test('after the last process has ended, scans continue for a while to find orphaned servers, then stop', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  const { process, end } = running()
  watch.watch(process)
  await pass(t, 60)
  await end()
  await pass(t, 1000)
  listeners = [on(8080)]
  await pass(t, 2000)
  assert.deepEqual(events, ['port.detected 8080 0.0.0.0 p'])
  await pass(t, 20_000)
  const before = scans
  await pass(t, 20_000)
  assert.equal(scans, before)
})

test('scan() leaves out the port of the desktop, and no other that is opened on it', async () => {
  listeners = [on(3000, 'desktop'), on(5900, 'desktop', '127.0.0.1')]
  assert.deepEqual(
    (await watch.scan('c')).map(({ port }) => port),
    [3000],
  )
})
