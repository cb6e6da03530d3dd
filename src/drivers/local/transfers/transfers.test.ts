import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { until } from '../../../../test/support/server.ts'
import { CarrelError } from '../../../errors.ts'
import { TestPool } from './fixtures/test-pool.ts'

const options = { maxBytes: 1024 ** 3 }
const MiB = 1024 * 1024

for (const kind of ['directory', 'btrfs'] as const) {
  test(`an import ends when the disk has no room left, and nothing stays of it, on ${kind}`, async (t) => {
    const pool = await TestPool.open(t, kind)
    await pool.snapshot('one', 'head -c 20000000 /dev/urandom > file')
    for (const format of kind === 'btrfs' ? (['btrfs', 'tar'] as const) : (['tar'] as const)) {
      let checks = 0
      pool.assertSpace = () => {
        if (++checks > 50) throw new CarrelError('no_capacity', 'Cannot import: the disk is nearly full')
      }
      const imported = pool.transfers.import('two', await pool.transfers.export('one', [format]), options)
      await assert.rejects(imported, { code: 'no_capacity' })
      assert.ok(checks < 60, `it went on for ${checks} pieces`)
      await pool.transfers.endAll()
      assert.deepEqual([pool.leftovers(), readdirSync(join(pool.directory, 'snapshots'))], [[], ['one']])
    }
  })

  test(`an export that its reader gives up, and an import that is ended, leave nothing, on ${kind}`, async (t) => {
    const pool = await TestPool.open(t, kind)
    await pool.snapshot('one', 'head -c 20000000 /dev/urandom > file')
    for (const format of kind === 'btrfs' ? (['btrfs', 'tar'] as const) : (['tar'] as const)) {
      const whole = await buffer(await pool.transfers.export('one', [format]))
      const read = await pool.transfers.export('one', [format])
      for await (const chunk of read.iterator({ destroyOnReturn: false })) if (chunk.length > 10_000) break
      assert.ok(pool.leftovers().length > 0)
      read.destroy()
      const stream = new Readable({ read: () => {} })
      const imported = assert.rejects(pool.transfers.import('two', stream, options), { code: 'unavailable' })
      stream.push(whole.subarray(0, 10 * MiB))
      await pool.transfers.endAll()
      await imported
      assert.deepEqual([pool.leftovers(), readdirSync(join(pool.directory, 'snapshots'))], [[], ['one']])
      assert.ok(stream.destroyed)
    }
  })

  test(`what a crash left of transfers is removed at the next start, on ${kind}`, async (t) => {
    const pool = await TestPool.open(t, kind)
    await pool.snapshot('one', 'echo content > file')
    const left = join(pool.directory, 'transfers', 'left')
    mkdirSync(join(left, 'received'), { recursive: true })
    mkdirSync(join(left, 'root'))
    const snapshot = pool.volumes.snapshotPath('one')
    await pool.storage.copy(snapshot, join(left, 'volume'))
    await pool.storage.copy(snapshot, join(left, 'copy'), { readOnly: true })
    await pool.storage.copy(snapshot, join(left, 'received', 'some'), { readOnly: true })
    await pool.transfers.prepare()
    assert.deepEqual(pool.leftovers(), [])
    assert.equal((await buffer(await pool.transfers.export('one', ['tar']))).length > 1000, true)
  })
}

test('a server that is killed during an import takes the programs with it, and the next one removes the rest', async (t) => {
  const pool = await TestPool.open(t, 'directory')
  const fixture = fileURLToPath(new URL('fixtures/half-imported.ts', import.meta.url))
  const server = spawn(process.execPath, [fixture, pool.directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(server.stdout, 'data')
  assert.ok(pool.leftovers().some((left) => left.includes('tar --extract')))
  const exited = once(server, 'exit')
  server.kill('SIGKILL')
  await exited
  await until(
    () => pool.leftovers(),
    (left) => left.length === 1,
  )
  await pool.transfers.prepare()
  assert.deepEqual([pool.leftovers(), readdirSync(join(pool.directory, 'snapshots'))], [[], []])
})

test('a snapshot with a path that is too long to be moved is refused, and nothing stays of it', async (t) => {
  const pool = await TestPool.open(t, 'btrfs')
  const deep = 'for (let i = 0; i < 100; i++) fs.mkdirSync("a".repeat(99)), process.chdir("a".repeat(99))'
  await pool.snapshot('one', `'${process.execPath}' -e '${deep}'`)
  await assert.rejects(buffer(await pool.transfers.export('one', ['btrfs'])), { code: 'conflict' })
  const asTar = async () => pool.transfers.import('two', await pool.transfers.export('one', ['tar']), options)
  await assert.rejects(asTar(), { code: 'invalid_request' })
  assert.deepEqual([pool.leftovers(), readdirSync(join(pool.directory, 'snapshots'))], [[], ['one']])
})

test('an import that fills the disk is refused with no_capacity, and the disk is free again', async (t) => {
  const large = await TestPool.open(t, 'directory')
  await large.snapshot('one', 'head -c 160000000 /dev/zero > file')
  const small = await TestPool.open(t, 'btrfs', { sizeMiB: 150 })
  const imported = small.transfers.import('one', await large.transfers.export('one', ['tar']), options)
  await assert.rejects(imported, { code: 'no_capacity' })
  assert.deepEqual([small.leftovers(), readdirSync(join(small.directory, 'snapshots'))], [[], []])
})

test('a tar that is exported from btrfs can be imported into plain directories, and the other way round', async (t) => {
  const [btrfs, plain] = [await TestPool.open(t, 'btrfs'), await TestPool.open(t, 'directory')]
  await btrfs.snapshot('one', 'echo content > file; mknod gone c 0 0; ln file hard')
  await plain.transfers.import('two', await btrfs.transfers.export('one', ['tar']), options)
  await btrfs.transfers.import('three', await plain.transfers.export('two', ['btrfs', 'tar']), options)
  await assert.rejects(plain.transfers.export('two', ['btrfs']), { code: 'invalid_request' })
  const stream = await btrfs.transfers.export('one', ['btrfs'])
  await assert.rejects(plain.transfers.import('four', stream, options), {
    code: 'invalid_request',
    details: { formats: ['tar'] },
  })
  const path = join(btrfs.volumes.snapshotPath('three'), 'upper')
  assert.deepEqual(readdirSync(path).toSorted(), ['file', 'gone', 'hard'])
})
