import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { OutputRecord } from '../../driver.ts'
import { Journal, journalLimits, recordHeaderBytes, streams } from './journal.ts'
import { parseRecords, readJournal } from './read-journal.ts'

function directory(t: TestContext): string {
  const parent = mkdtempSync(join(tmpdir(), 'carrel-journal-'))
  t.after(() => rmSync(parent, { recursive: true, force: true }))
  return join(parent, 'process')
}

function randomRecord(maxBytes: number): OutputRecord {
  return { stream: streams[randomInt(2)]!, data: randomBytes(randomInt(1, maxBytes)) }
}

/** Reads from a cursor to the end. */
async function readOn(
  path: string,
  cursor: number,
): Promise<{ records: OutputRecord[]; cursors: number[]; truncated: boolean }> {
  const records: OutputRecord[] = []
  const cursors = [cursor]
  let truncated = false
  for (;;) {
    const part = await readJournal(path, cursors.at(-1)!)
    truncated ||= part.truncated
    if (part.records.length === 0) return { records, cursors, truncated }
    records.push(...part.records)
    cursors.push(part.cursor)
  }
}

test('appended output is read back, from the beginning and from each cursor', async (t) => {
  for (let round = 0; round < 20; round++) {
    const path = directory(t)
    const journal = new Journal(path)
    const written = Array.from({ length: randomInt(1, 120) }, () => randomRecord(randomInt(2, 65_536)))
    const spillAt = randomInt(written.length)
    for (const [index, { stream, data }] of written.entries()) {
      if (index === spillAt) journal.spill()
      journal.append(stream, data)
    }
    journal.spill()
    journal.close()
    assert.equal(
      journal.bytes,
      written.reduce((sum, { data }) => sum + data.length, 0),
    )
    assert.equal(journal.end, journal.bytes + written.length * recordHeaderBytes)
    const all = await readOn(path, 0)
    assert.deepEqual(all.records, written)
    assert.equal(all.cursors.at(-1), journal.end)
    for (const cursor of all.cursors) {
      const { records } = await readOn(path, cursor)
      assert.deepEqual(records, written.slice(written.length - records.length))
    }
  }
})

test('short output stays in memory and creates no file', (t) => {
  const path = directory(t)
  const journal = new Journal(path)
  journal.append('stdout', Buffer.from('one'))
  journal.append('stderr', Buffer.from(''))
  journal.append('stderr', Buffer.from('two'))
  assert.throws(() => readdirSync(path), { code: 'ENOENT' })
  const { records, consumed } = parseRecords(journal.held!)
  assert.deepEqual(records, [
    { stream: 'stdout', data: Buffer.from('one') },
    { stream: 'stderr', data: Buffer.from('two') },
  ])
  assert.deepEqual([consumed, journal.end, journal.bytes, journal.truncated], [journal.held!.length, 16, 6, false])
})

test('a reader that follows a writer never sees a partial record', async (t) => {
  const path = directory(t)
  const journal = new Journal(path)
  journal.spill()
  let cursor = 0
  let read = 0
  for (let count = 0; count < 300; count++) {
    journal.append('stdout', Buffer.from(`${count}\n`.padEnd(randomInt(8, 40_000), ' ')))
    const part = await readJournal(path, cursor)
    ;({ cursor } = part)
    for (const { data } of part.records) assert.equal(Number.parseInt(data.toString(), 10), read++)
    assert.equal(part.truncated, false)
  }
  for (let more = true; more;) {
    const part = await readJournal(path, cursor)
    ;({ cursor } = part)
    read += part.records.length
    more = part.records.length > 0
  }
  assert.equal(read, 300)
  journal.close()
})

test('beyond the limit the oldest segments are dropped, and a reader is told so', async (t) => {
  const path = directory(t)
  const journal = new Journal(path)
  const chunk = Buffer.alloc(60_000)
  const count = Math.ceil((journalLimits.keptBytes * 1.5) / chunk.length)
  let middle = 0
  for (let index = 0; index < count; index++) {
    chunk.writeUInt32LE(index)
    journal.append('stdout', chunk)
    if (index === count - 100) middle = journal.end
  }
  journal.close()
  assert.equal(journal.truncated, true)
  assert.equal(journal.bytes, count * chunk.length)
  const onDisk = readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0)
  assert.ok(onDisk >= journalLimits.keptBytes)
  assert.ok(onDisk <= journalLimits.keptBytes + 2 * journalLimits.segmentBytes, `${onDisk} bytes are on the disk`)
  const { records, truncated } = await readOn(path, 0)
  assert.equal(truncated, true)
  const indexes = records.map(({ data }) => data.readUInt32LE())
  assert.deepEqual(
    indexes,
    Array.from(indexes, (_, index) => count - indexes.length + index),
  )
  const late = await readOn(path, middle)
  assert.equal(late.truncated, false)
  assert.equal(late.records.length, 99)
})

test('a journal that cannot be written reports missing output, and does not throw', (t) => {
  const path = directory(t)
  writeFileSync(path, 'a file is in the place of the directory')
  const journal = new Journal(path)
  journal.spill()
  journal.append('stdout', Buffer.from('lost'))
  journal.append('stdout', Buffer.from('lost too'))
  assert.deepEqual([journal.truncated, journal.bytes], [true, 12])
  journal.close()
})

test('reading a journal that does not exist returns no records', async (t) => {
  assert.deepEqual(await readJournal(directory(t), 7), { records: [], cursor: 7, truncated: false })
})

test('parseRecords() returns whole records only', () => {
  const record = Buffer.from([1, 3, 0, 0, 0, 97, 98, 99])
  for (let length = 0; length < record.length; length++)
    assert.deepEqual(parseRecords(record.subarray(0, length)), { records: [], consumed: 0 })
  const two = Buffer.concat([record, record])
  assert.equal(parseRecords(two).records.length, 2)
  assert.deepEqual(parseRecords(two.subarray(0, -1)), {
    records: [{ stream: 'stderr', data: Buffer.from('abc') }],
    consumed: record.length,
  })
})
