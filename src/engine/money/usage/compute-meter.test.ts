import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { ComputeMeter } from './compute-meter.ts'
import type { MeteredComputer, MeteredFacts } from './metered-computer.ts'

const sandbox: MeteredFacts = { computerId: 'c', accountId: 'a', label: 'web', cpus: 2, always: false }
let nowMs: number
let elapsedMs: number
let cpuMicros: number
let meter: ComputeMeter

beforeEach(() => {
  ;[nowMs, elapsedMs, cpuMicros] = [1_000_000, 0, 0]
  meter = new ComputeMeter({ now: () => nowMs, elapsed: () => elapsedMs, cpuMicros: () => cpuMicros })
})

/** Time passes, in which a share of a processor is used. */
function pass(ms: number, share = 0): void {
  nowMs += ms
  elapsedMs += ms
  cpuMicros += ms * 1000 * share
}

/** A look into the computer. */
function look(programsMs?: number, hasKernel = false): void {
  for (const computer of meter.unattended()) {
    if (computer.facts.computerId !== 'c') continue
    if (computer.isStarting || !computer.hasChanged()) computer.sawNoChange()
    else computer.saw(programsMs, hasKernel)
  }
}

const unattended = () => meter.unattended().map(({ facts }: MeteredComputer) => facts.computerId)

/** What was cut, as `token quantity [start, end)` with times since the beginning. */
function pieces(): string[] {
  const pending = meter.pending
  meter.recorded(pending)
  return pending.map(
    ({ tokenId, quantity, startedAtMs, endedAtMs }) =>
      `${tokenId} ${quantity} [${startedAtMs - 1_000_000}, ${endedAtMs - 1_000_000})`,
  )
}

test('a sandbox costs while something runs in it, and two processes at once cost as much as one', () => {
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
  assert.deepEqual(pieces(), ['t 30 [0, 230)'])
  pass(100)
  meter.cut()
  assert.deepEqual(pieces(), [])
})

test('a computer of its own costs while it runs', () => {
  meter.open({ ...sandbox, always: true })
  pass(60_000)
  meter.cut()
  pass(500)
  meter.close('c')
  pass(500)
  meter.cut()
  assert.deepEqual(pieces(), ['null 60000 [0, 60000)', 'null 500 [60000, 60500)'])
})

test('of a computer that was lost nothing is charged since the last cut, of a sandbox what its processes tell', () => {
  meter.open({ ...sandbox, always: true })
  meter.open({ ...sandbox, computerId: 's' })
  meter.began('s', 'p', 't')
  pass(60_000)
  meter.cut()
  pass(500)
  meter.ended('s', 'p')
  pass(500)
  meter.lose('c')
  meter.lose('s')
  assert.deepEqual(pieces(), ['null 60000 [0, 60000)', 't 60000 [0, 60000)', 't 500 [60000, 61000)'])
})

test('of several tokens the one that began first pays, then the next', () => {
  meter.open(sandbox)
  meter.began('c', 'one', 'first')
  meter.began('c', 'two', 'second')
  pass(10)
  meter.ended('c', 'one')
  pass(5)
  meter.cut()
  assert.deepEqual(pieces(), ['first 10 [0, 15)', 'second 5 [0, 15)'])
})

test('parts of a millisecond wait for the next piece', () => {
  meter.open(sandbox)
  for (let count = 0; count < 10; count++) {
    meter.began('c', 'p', 't')
    pass(0.25)
    meter.ended('c', 'p')
  }
  meter.cut()
  assert.deepEqual(pieces(), ['t 2 [0, 2.5)'])
  meter.began('c', 'p', 't')
  pass(0.5)
  meter.close('c')
  assert.deepEqual(pieces(), ['t 1 [2.5, 3.5)'])
})

test('a clock that is set costs nobody anything, and pieces never overlap', () => {
  meter.open(sandbox)
  meter.began('c', 'p', 't')
  pass(10)
  nowMs += 3_600_000
  meter.cut()
  assert.deepEqual(pieces(), ['t 10 [0, 3600010)'])
  nowMs -= 7_200_000
  pass(10)
  meter.cut()
  assert.deepEqual(pieces(), ['t 10 [3600010, 3600020)'])
})

test('a computer that stops and starts again goes on after what is not recorded yet', () => {
  meter.open(sandbox)
  meter.began('c', 'p', 't')
  pass(50)
  meter.close('c')
  nowMs -= 40
  meter.open(sandbox)
  meter.began('c', 'q', 't')
  pass(5)
  meter.close('c')
  assert.deepEqual(pieces(), ['t 50 [0, 50)', 't 5 [50, 55)'])
})

test('it knows what is not recorded yet and for whom something runs', () => {
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

test('what was left behind is paid as what began last, and is looked for where it can be alone', () => {
  meter.open(sandbox)
  meter.open({ ...sandbox, computerId: 'own', always: true })
  assert.deepEqual(unattended(), ['c'])
  meter.began('c', 'one', 'first')
  meter.began('c', 'two', 'second')
  assert.deepEqual(unattended(), [])
  pass(10)
  meter.ended('c', 'one')
  meter.ended('c', 'two')
  pass(30)
  assert.deepEqual(unattended(), ['c'])
  look(40)
  assert.deepEqual([unattended(), meter.activeAccounts()], [['c'], ['a']])
  pass(50)
  // It sleeps: nothing changed, and it is there.
  look()
  pass(20, 1)
  look(5)
  meter.close('own')
  pieces()
  meter.cut()
  assert.deepEqual(pieces(), ['first 10 [0, 110)', 'second 100 [0, 110)'])
  pass(20, 0.0001)
  look()
  assert.deepEqual(unattended(), [])
})

test('a program that is there and works now and then is paid once for each second', () => {
  meter.open(sandbox)
  meter.began('c', 'one', 't')
  meter.ended('c', 'one')
  for (let count = 0; count < 10; count++) {
    pass(1000, 0.012)
    look(1000)
  }
  meter.cut()
  assert.deepEqual(pieces(), ['t 10000 [0, 10000)'])
})

test('a program that began after what ran before it costs from its begin on', () => {
  meter.open(sandbox)
  meter.began('c', 'one', 't')
  meter.ended('c', 'one')
  pass(1000)
  look(200)
  meter.cut()
  assert.deepEqual(pieces(), ['t 200 [0, 1000)'])
})

test('a kernel that works between calls costs as long as it does, whenever somebody looks', () => {
  meter.open(sandbox)
  meter.began('c', 'call', 't')
  meter.ended('c', 'call')
  pass(1000, 0.0017)
  look(undefined, true)
  assert.deepEqual([meter.found('c'), meter.spending('a')], ['kernel', { certain: 0, possible: 1 }])
  for (let count = 0; count < 3; count++) {
    pass(1000, 1)
    look(undefined, true)
  }
  assert.deepEqual([meter.found('c'), meter.spending('a')], ['working', { certain: 1, possible: 0 }])
  assert.deepEqual([meter.orphanedBy('a', 't'), meter.orphanedBy('a', 'other')], [['c'], []])
  pass(1000)
  look(undefined, true)
  assert.equal(meter.found('c'), 'kernel')
  meter.cut()
  assert.deepEqual(pieces(), ['t 3000 [0, 5000)'])
})

test('work between calls that come one after the other costs too, and so does what nobody looked at before the end', () => {
  meter.open(sandbox)
  for (let count = 0; count < 100; count++) {
    meter.began('c', 'call', 't')
    pass(5, 2)
    meter.ended('c', 'call')
    pass(5, 1)
  }
  meter.ending('c')
  pass(5000, 1)
  meter.close('c')
  // What is saved up for clearing up, and less than the threshold, is let go.
  assert.deepEqual(pieces(), ['t 890 [0, 6000)'])
})

test('what the runtime takes for a start is free, and what works during many of them is not', () => {
  meter.open(sandbox)
  for (let count = 0; count < 100; count++) {
    const hasBegun = meter.expect('c')
    pass(5, 0.5)
    meter.began('c', 'p', 't')
    hasBegun()
    meter.ended('c', 'p')
  }
  meter.ending('c')
  assert.deepEqual(pieces(), [])
  meter.goesOn('c')
  // Nor does a start that never ends hide it.
  const hasBegun = meter.expect('c')
  pass(1000, 1)
  look()
  assert.equal(meter.unrecordedMs('a'), 1000)
  hasBegun()
  meter.close('c')
  assert.deepEqual(pieces(), ['t 1000 [0, 1500)'])
})

test('processor time is marked as of the last cut, with what it was charged for, when it is much, and in the end', () => {
  meter.open(sandbox, { paidToMs: 0, totals: { usedMicros: 7, openMs: 0 } })
  const marks = () => {
    const found = meter.marks
    meter.recorded(meter.pending, found)
    return found.map(({ counterMicros, usedMicros }) => [counterMicros, usedMicros])
  }
  meter.began('c', 'p', 't')
  pass(100, 1)
  meter.cut()
  pass(500, 1)
  // What is not in a piece is not in the mark: a server that ends now leaves it to the next one.
  assert.deepEqual(marks(), [[100_000, 100_007]])
  meter.cut()
  meter.ended('c', 'p')
  assert.deepEqual(marks(), [[600_000, 600_007]])
  pass(60_000, 0.0017)
  meter.cut()
  assert.deepEqual(marks(), [])
  pass(90_000, 0.0017)
  meter.cut()
  assert.deepEqual(marks(), [[855_000, 855_007]])
  pass(1, 1)
  meter.close('c')
  assert.deepEqual(marks(), [[0, 856_007]])
})

test('what is about to begin is counted as what runs, and one in which something may run apart from those', () => {
  meter.open(sandbox)
  meter.open({ ...sandbox, computerId: 'd' })
  meter.open({ ...sandbox, computerId: 'e', accountId: 'b' })
  const lookAt = (id: string, hasKernel: boolean) => {
    for (const computer of meter.unattended()) if (computer.facts.computerId === id) computer.saw(undefined, hasKernel)
  }
  assert.deepEqual([meter.spending('a'), meter.isSpending('c')], [{ certain: 0, possible: 2 }, false])
  const hasBegun = meter.expect('c')
  assert.deepEqual([meter.spending('a'), meter.isSpending('c')], [{ certain: 1, possible: 1 }, true])
  assert.deepEqual(unattended(), ['c', 'd', 'e'])
  meter.began('c', 'p', 't')
  hasBegun()
  for (const id of ['d', 'e']) lookAt(id, false)
  assert.deepEqual(
    [meter.spending('a'), meter.spending('b')],
    [
      { certain: 1, possible: 0 },
      { certain: 0, possible: 0 },
    ],
  )
  assert.deepEqual(meter.spenders(), ['a'])
  meter.ended('c', 'p')
  lookAt('c', true)
  assert.deepEqual([meter.spending('a'), meter.spenders()], [{ certain: 0, possible: 1 }, ['a']])
  meter.close('c')
  meter.close('d')
  assert.deepEqual(meter.spending('a'), { certain: 0, possible: 0 })
})

test('who asks sees at once what was used, and after that not more often than told', () => {
  const asked = { accountId: 'a', notForMs: 5000 }
  meter.open(sandbox)
  meter.cut(asked)
  meter.began('c', 'one', 't')
  pass(10)
  meter.cut(asked)
  assert.deepEqual(pieces(), ['t 10 [0, 10)'])
  pass(4999)
  meter.cut(asked)
  assert.deepEqual(pieces(), [])
  pass(1)
  meter.cut(asked)
  meter.cut({ ...asked, accountId: 'b' })
  assert.deepEqual(pieces(), ['t 5000 [10, 5010)'])
})
