import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { JournalBudget } from './journal-budget.ts'
import type { Journal } from './journal.ts'
import { readJournal } from './read-journal.ts'

const MiB = 1024 * 1024

function parentDirectory(t: TestContext): string {
  const parent = mkdtempSync(join(tmpdir(), 'carrel-budget-'))
  t.after(() => rmSync(parent, { recursive: true, force: true }))
  return parent
}

function bytesBelow(parent: string): number {
  return readdirSync(parent, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

function print(journal: Journal, mebibytes: number): void {
  for (let count = 0; count < mebibytes; count++) journal.append('stdout', Buffer.alloc(MiB, count))
}

test("a computer's journals together stay within its limit: the oldest output is dropped, and the newest stays whole", async (t) => {
  const parent = parentDirectory(t)
  const budget = new JournalBudget()
  budget.bounds = { computerBytes: 40 * MiB, ownerBytes: Infinity, allBytes: Infinity }
  const journals = Array.from({ length: 6 }, (_, index) => budget.open(join(parent, `p${index}`), 'one', 'owner'))
  for (const journal of journals) print(journal, 20)
  for (const journal of journals) journal.close()
  assert.ok(bytesBelow(parent) <= 40 * MiB, `${bytesBelow(parent)} bytes are on the disk`)
  assert.equal(bytesBelow(parent), budget.bytes)
  assert.deepEqual(
    journals.map(({ truncated }) => truncated),
    [true, true, true, true, true, false],
  )
  const first = await readJournal(join(parent, 'p0'), 0)
  assert.deepEqual([first.truncated, first.records.length], [true, 0])
  assert.equal(first.cursor, journals[0]!.end)
  const last = await readJournal(join(parent, 'p5'), 0)
  assert.equal(last.truncated, false)
})

test('a segment that is being written can be dropped, and a reader continues after it', async (t) => {
  const parent = parentDirectory(t)
  const budget = new JournalBudget()
  budget.bounds = { computerBytes: 3.5 * MiB, ownerBytes: Infinity, allBytes: Infinity }
  const journal = budget.open(join(parent, 'p'), 'one', 'owner')
  print(journal, 4)
  const { cursor, truncated } = await readJournal(join(parent, 'p'), 0)
  assert.deepEqual([truncated, cursor], [true, journal.end])
  journal.append('stdout', Buffer.alloc(70_000, 'x'))
  const next = await readJournal(join(parent, 'p'), cursor)
  assert.deepEqual([next.truncated, next.records[0]?.data.length, next.cursor], [false, 70_000, journal.end])
  journal.close()
})

test('when the total is over its limit, the owner with the most output loses some, and the others lose none', (t) => {
  const parent = parentDirectory(t)
  const budget = new JournalBudget()
  budget.bounds = { computerBytes: Infinity, ownerBytes: 50 * MiB, allBytes: 30 * MiB }
  const quiet = budget.open(join(parent, 'quiet'), 'a', 'small')
  print(quiet, 5)
  const loud = ['b', 'c'].map((computer) => budget.open(join(parent, computer), computer, 'great'))
  for (const journal of loud) print(journal, 24)
  assert.ok(budget.bytes <= 30 * MiB)
  assert.deepEqual([quiet.truncated, quiet.diskBytes > 5 * MiB], [false, true])
  budget.bounds = { computerBytes: Infinity, ownerBytes: 2 * MiB, allBytes: Infinity }
  assert.equal(budget.bytes, 0)
  for (const journal of [quiet, ...loud]) journal.close()
})

test('a journal counts no more after leave(), and is not dropped', (t) => {
  const parent = parentDirectory(t)
  const budget = new JournalBudget()
  budget.bounds = { computerBytes: 12 * MiB, ownerBytes: Infinity, allBytes: Infinity }
  const first = budget.open(join(parent, 'first'), 'one', 'owner')
  print(first, 10)
  budget.leave(first)
  budget.leave(first)
  assert.equal(budget.bytes, 0)
  const second = budget.open(join(parent, 'second'), 'one', 'owner')
  print(second, 10)
  assert.deepEqual([first.truncated, second.truncated], [false, false])
  for (const journal of [first, second]) journal.close()
})

test('a journal continues when its directory can be created again', async (t) => {
  const parent = parentDirectory(t)
  const budget = new JournalBudget()
  const journal = budget.open(join(parent, 'gone', 'p'), 'one', 'owner')
  journal.spill()
  mkdirSync(join(parent, 'gone'))
  rmSync(join(parent, 'gone'), { recursive: true })
  journal.append('stdout', Buffer.from('kept'))
  const { records } = await readJournal(join(parent, 'gone', 'p'), 0)
  assert.equal(records[0]?.data.toString(), 'kept')
  journal.close()
})
