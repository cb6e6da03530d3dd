import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { ComputeMeter } from './compute-meter.ts'
import type { MeteredComputer, MeteredFacts } from './metered-computer.ts'

const sandbox: MeteredFacts = { computerId: 'c', accountId: 'a', label: 'web', cpus: 2, costsWhileRunning: false }
let nowMs: number
let elapsedMs: number
let cpuMicros: number
let meter: ComputeMeter

beforeEach(() => {
  ;[nowMs, elapsedMs, cpuMicros] = [1_000_000, 0, 0]
  meter = new ComputeMeter({ now: () => nowMs, elapsed: () => elapsedMs, cpuMicros: () => cpuMicros })
})

/** Lets time pass, in which a share of a processor is used. */
function pass(ms: number, share = 0): void {
  nowMs += ms
  elapsedMs += ms
  cpuMicros += ms * 1000 * share
}

/** Checks the computer. */
function check(programsMs?: number, hasKernel = false): void {
  for (const computer of meter.unattended()) {
    if (computer.facts.computerId !== 'c') continue
    if (computer.isStarting || !computer.hasChanged()) computer.recordNoChange()
    else computer.recordCheck(programsMs, hasKernel)
  }
}

const unattended = () => meter.unattended().map(({ facts }: MeteredComputer) => facts.computerId)

/** Returns what was cut, as `token quantity [start, end)` with times since the beginning. */
function intervals(): string[] {
  const pending = meter.pending
  meter.recorded(pending)
  return pending.map(
    ({ tokenId, quantity, startedAtMs, endedAtMs }) =>
      `${tokenId} ${quantity} [${startedAtMs - 1_000_000}, ${endedAtMs - 1_000_000})`,
  )
}

test('a sandbox costs while something runs in it, and two processes at the same time cost as much as one', () => {
  meter.open(sandbox)
  pass(100)
  meter.began('c', 'one', 't')
  pass(10)
  meter.began('c', 'two', 't')
  pass(10)
  meter.ended('c', 'one')
  pass(10)
  meter.ended('c', 'two')
  pass(100)
  meter.cut()
  assert.deepEqual(intervals(), ['t 30 [0, 230)'])
  pass(100)
  meter.cut()
  assert.deepEqual(intervals(), [])
})

test('a durable computer costs while it runs', () => {
  meter.open({ ...sandbox, costsWhileRunning: true })
  pass(60_000)
  meter.cut()
  pass(500)
  meter.close('c')
  pass(500)
  meter.cut()
  assert.deepEqual(intervals(), ['null 60000 [0, 60000)', 'null 500 [60000, 60500)'])
})

test('a lost computer costs nothing since the last cut, a lost sandbox what its processes ran', () => {
  meter.open({ ...sandbox, costsWhileRunning: true })
  meter.open({ ...sandbox, computerId: 's' })
  meter.began('s', 'p', 't')
  pass(60_000)
  meter.cut()
  pass(500)
  meter.ended('s', 'p')
  pass(500)
  meter.closeLost('c')
  meter.closeLost('s')
  assert.deepEqual(intervals(), ['null 60000 [0, 60000)', 't 60000 [0, 60000)', 't 500 [60000, 61000)'])
})

test('of several tokens the one whose process began first pays, then the next', () => {
  meter.open(sandbox)
  meter.began('c', 'one', 'first')
  meter.began('c', 'two', 'second')
  pass(10)
  meter.ended('c', 'one')
  pass(5)
  meter.cut()
  assert.deepEqual(intervals(), ['first 10 [0, 15)', 'second 5 [0, 15)'])
})

test('fractions of a millisecond are carried over to the next interval', () => {
  meter.open(sandbox)
  for (let count = 0; count < 10; count++) {
    meter.began('c', 'p', 't')
    pass(0.25)
    meter.ended('c', 'p')
  }
  meter.cut()
  assert.deepEqual(intervals(), ['t 2 [0, 2.5)'])
  meter.began('c', 'p', 't')
  pass(0.5)
  meter.close('c')
  assert.deepEqual(intervals(), ['t 1 [2.5, 3.5)'])
})

test('setting the clock costs nothing, and intervals never overlap', () => {
  meter.open(sandbox)
  meter.began('c', 'p', 't')
  pass(10)
  nowMs += 3_600_000
  meter.cut()
  assert.deepEqual(intervals(), ['t 10 [0, 3600010)'])
  nowMs -= 7_200_000
  pass(10)
  meter.cut()
  assert.deepEqual(intervals(), ['t 10 [3600010, 3600020)'])
})

test('a computer that stops and starts again continues after its unrecorded intervals', () => {
  meter.open(sandbox)
  meter.began('c', 'p', 't')
  pass(50)
  meter.close('c')
  nowMs -= 40
  meter.open(sandbox)
  meter.began('c', 'q', 't')
  pass(5)
  meter.close('c')
  assert.deepEqual(intervals(), ['t 50 [0, 50)', 't 5 [50, 55)'])
})

test('unrecordedMs() and activeAccounts() report unrecorded time and accounts with running work', () => {
  meter.open(sandbox)
  meter.open({ ...sandbox, computerId: 'd', accountId: 'b' })
  meter.began('c', 'p', 't')
  assert.deepEqual(meter.activeAccounts(), ['a'])
  pass(10)
  meter.cut()
  pass(7)
  assert.equal(meter.unrecordedMs('a'), 17)
  assert.equal(meter.unrecordedMs('b'), 0)
  meter.ended('c', 'p')
  assert.deepEqual(meter.activeAccounts(), [])
  meter.recorded(meter.pending)
  assert.equal(meter.unrecordedMs('a'), 7)
})

test('orphans are paid by the token whose process began last, and checked where nothing else runs', () => {
  meter.open(sandbox)
  meter.open({ ...sandbox, computerId: 'own', costsWhileRunning: true })
  assert.deepEqual(unattended(), ['c'])
  meter.began('c', 'one', 'first')
  meter.began('c', 'two', 'second')
  assert.deepEqual(unattended(), [])
  pass(10)
  meter.ended('c', 'one')
  meter.ended('c', 'two')
  pass(30)
  assert.deepEqual(unattended(), ['c'])
  check(40)
  assert.deepEqual([unattended(), meter.activeAccounts()], [['c'], ['a']])
  pass(50)
  // The program sleeps: nothing changed, and it is still there.
  check()
  pass(20, 1)
  check(5)
  meter.close('own')
  intervals()
  meter.cut()
  assert.deepEqual(intervals(), ['first 10 [0, 110)', 'second 100 [0, 110)'])
  pass(20, 0.0001)
  check()
  assert.deepEqual(unattended(), [])
})

test('an orphaned program that works now and then is charged once for each second', () => {
  meter.open(sandbox)
  meter.began('c', 'one', 't')
  meter.ended('c', 'one')
  for (let count = 0; count < 10; count++) {
    pass(1000, 0.012)
    check(1000)
  }
  meter.cut()
  assert.deepEqual(intervals(), ['t 10000 [0, 10000)'])
})

test('an orphaned program that began later costs from its own start', () => {
  meter.open(sandbox)
  meter.began('c', 'one', 't')
  meter.ended('c', 'one')
  pass(1000)
  check(200)
  meter.cut()
  assert.deepEqual(intervals(), ['t 200 [0, 1000)'])
})

test('a kernel that works between calls costs for as long as it works, whenever it is checked', () => {
  meter.open(sandbox)
  meter.began('c', 'call', 't')
  meter.ended('c', 'call')
  pass(1000, 0.0017)
  check(undefined, true)
  assert.deepEqual([meter.unattendedState('c'), meter.spending('a')], ['kernel', { certain: 0, possible: 1 }])
  for (let count = 0; count < 3; count++) {
    pass(1000, 1)
    check(undefined, true)
  }
  assert.deepEqual([meter.unattendedState('c'), meter.spending('a')], ['working', { certain: 1, possible: 0 }])
  assert.deepEqual([meter.orphanedBy('a', 't'), meter.orphanedBy('a', 'other')], [['c'], []])
  pass(1000)
  check(undefined, true)
  assert.equal(meter.unattendedState('c'), 'kernel')
  meter.cut()
  assert.deepEqual(intervals(), ['t 3000 [0, 5000)'])
})

test('work between calls in quick succession costs, and so does work that was not checked before the end', () => {
  meter.open(sandbox)
  for (let count = 0; count < 100; count++) {
    meter.began('c', 'call', 't')
    pass(5, 2)
    meter.ended('c', 'call')
    pass(5, 1)
  }
  meter.stopping('c')
  pass(5000, 1)
  meter.close('c')
  // The allowance for garbage collection, and what is below the threshold, is free.
  assert.deepEqual(intervals(), ['t 890 [0, 6000)'])
})

test('what the runtime takes for a start is free, and work during many starts is not', () => {
  meter.open(sandbox)
  for (let count = 0; count < 100; count++) {
    const hasBegun = meter.beginStart('c')
    pass(5, 0.5)
    meter.began('c', 'p', 't')
    hasBegun()
    meter.ended('c', 'p')
  }
  meter.stopping('c')
  assert.deepEqual(intervals(), [])
  meter.stopFailed('c')
  // Nor does a start that never ends hide work.
  const hasBegun = meter.beginStart('c')
  pass(1000, 1)
  check()
  assert.equal(meter.unrecordedMs('a'), 1000)
  hasBegun()
  meter.close('c')
  assert.deepEqual(intervals(), ['t 1000 [0, 1500)'])
})

test('a snapshot of processor time follows a cut with intervals, much use, and the end', () => {
  meter.open(sandbox, { paidToMs: 0, totals: { usedMicros: 7, openMs: 0 } })
  const snapshots = () => {
    const found = meter.snapshots
    meter.recorded(meter.pending, found)
    return found.map(({ counterMicros, usedMicros }) => [counterMicros, usedMicros])
  }
  meter.began('c', 'p', 't')
  pass(100, 1)
  meter.cut()
  pass(500, 1)
  // The snapshot has only what is in an interval: a server that ends now leaves the rest to the next one.
  assert.deepEqual(snapshots(), [[100_000, 100_007]])
  meter.cut()
  meter.ended('c', 'p')
  assert.deepEqual(snapshots(), [[600_000, 600_007]])
  pass(60_000, 0.0017)
  meter.cut()
  assert.deepEqual(snapshots(), [])
  pass(90_000, 0.0017)
  meter.cut()
  assert.deepEqual(snapshots(), [[855_000, 855_007]])
  pass(1, 1)
  meter.close('c')
  assert.deepEqual(snapshots(), [[0, 856_007]])
})

test('spending() counts a start as running work, and computers with possible work apart', () => {
  meter.open(sandbox)
  meter.open({ ...sandbox, computerId: 'd' })
  meter.open({ ...sandbox, computerId: 'e', accountId: 'b' })
  const checkAt = (id: string, hasKernel: boolean) => {
    for (const computer of meter.unattended())
      if (computer.facts.computerId === id) computer.recordCheck(undefined, hasKernel)
  }
  assert.deepEqual([meter.spending('a'), meter.isSpending('c')], [{ certain: 0, possible: 2 }, false])
  const hasBegun = meter.beginStart('c')
  assert.deepEqual([meter.spending('a'), meter.isSpending('c')], [{ certain: 1, possible: 1 }, true])
  assert.deepEqual(unattended(), ['c', 'd', 'e'])
  meter.began('c', 'p', 't')
  hasBegun()
  for (const id of ['d', 'e']) checkAt(id, false)
  assert.deepEqual(
    [meter.spending('a'), meter.spending('b')],
    [
      { certain: 1, possible: 0 },
      { certain: 0, possible: 0 },
    ],
  )
  assert.deepEqual(meter.spendingAccounts(), ['a'])
  meter.ended('c', 'p')
  checkAt('c', true)
  assert.deepEqual([meter.spending('a'), meter.spendingAccounts()], [{ certain: 0, possible: 1 }, ['a']])
  meter.close('c')
  meter.close('d')
  assert.deepEqual(meter.spending('a'), { certain: 0, possible: 0 })
})

test('cut() by account cuts at once, and after that no more often than asked for', () => {
  const asked = { accountId: 'a', notForMs: 5000 }
  meter.open(sandbox)
  meter.cut(asked)
  meter.began('c', 'one', 't')
  pass(10)
  meter.cut(asked)
  assert.deepEqual(intervals(), ['t 10 [0, 10)'])
  pass(4999)
  meter.cut(asked)
  assert.deepEqual(intervals(), [])
  pass(1)
  meter.cut(asked)
  meter.cut({ ...asked, accountId: 'b' })
  assert.deepEqual(intervals(), ['t 5000 [10, 5010)'])
})
