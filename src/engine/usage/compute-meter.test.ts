import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { ComputeMeter, type MeteredComputer } from './compute-meter.ts'

const sandbox: MeteredComputer = { computerId: 'c', accountId: 'a', label: 'web', always: false }
let nowMs: number
let elapsedMs: number
let meter: ComputeMeter

beforeEach(() => {
  ;[nowMs, elapsedMs] = [1_000_000, 0]
  meter = new ComputeMeter({ now: () => nowMs, elapsed: () => elapsedMs })
})

function pass(ms: number): void {
  nowMs += ms
  elapsedMs += ms
}

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
  const unseen = () => meter.unseenComputers().map(({ computerId }) => computerId)
  meter.open(sandbox)
  meter.open({ ...sandbox, computerId: 'own', always: true })
  assert.deepEqual(unseen(), ['c'])
  meter.began('c', 'one', 'first')
  meter.began('c', 'two', 'second')
  assert.deepEqual(unseen(), [])
  assert.equal(meter.takeFree('c'), undefined)
  pass(10)
  meter.ended('c', 'one')
  meter.ended('c', 'two')
  pass(30)
  assert.deepEqual(unseen(), ['c'])
  assert.deepEqual(meter.takeFree('c'), { freeMs: 30, usedMs: 10 })
  meter.saw('c', 'nothing')
  assert.deepEqual(unseen(), [])
  meter.saw('c', 'programs')
  assert.deepEqual([unseen(), meter.activeAccounts()], [['c'], ['a']])
  meter.add('c', 30)
  meter.close('own')
  pieces()
  meter.cut()
  assert.deepEqual(pieces(), ['first 10 [0, 40)', 'second 30 [0, 40)'])
})

test('what is about to begin is counted as what runs, and one in which something may run apart from those', () => {
  meter.open(sandbox)
  meter.open({ ...sandbox, computerId: 'd' })
  meter.open({ ...sandbox, computerId: 'e', accountId: 'b' })
  assert.deepEqual([meter.spending('a'), meter.isSpending('c')], [{ certain: 0, possible: 2 }, false])
  const hasBegun = meter.expect('c')
  assert.deepEqual([meter.spending('a'), meter.isSpending('c')], [{ certain: 1, possible: 1 }, true])
  assert.equal(meter.takeFree('c'), undefined)
  meter.began('c', 'p', 't')
  hasBegun()
  for (const id of ['d', 'e']) {
    meter.takeFree(id)
    meter.saw(id, 'nothing')
  }
  assert.deepEqual(
    [meter.spending('a'), meter.spending('b')],
    [
      { certain: 1, possible: 0 },
      { certain: 0, possible: 0 },
    ],
  )
  assert.deepEqual(meter.spenders(), ['a'])
  meter.ended('c', 'p')
  meter.takeFree('c')
  meter.saw('c', 'kernel')
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
