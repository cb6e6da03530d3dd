import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { transaction } from '../../../src/db/transaction.ts'
import { openDatabase } from '../../../src/db/open.ts'
import { createAccount } from '../../../src/engine/identity/accounts/owner.ts'
import { asCarrelError } from '../../../src/errors.ts'

/** A file system in memory that a few rows fill. */
function smallDisk(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'carrel-store-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', directory])
  t.after(() => {
    execFileSync('umount', ['--lazy', directory])
    rmSync(directory, { recursive: true })
  })
  return directory
}

test('a write to a full disk fails with the reason, rolls its transaction back, and works again when there is room', async (t) => {
  const directory = smallDisk(t)
  const db = await openDatabase(join(directory, 'carrel.db'))
  t.after(() => db.destroy())
  const account = await createAccount(db, 'one')
  const filler = join(directory, 'filler')
  const { bavail, bsize } = statfsSync(directory)
  execFileSync('fallocate', ['-l', String(bavail * bsize), filler])
  const addMany = () =>
    transaction(db, 'operational', async (transaction) => {
      for (let count = 0; count < 10; count++)
        await transaction
          .insertInto('memory_files')
          .values({ account_id: account, path: `f${count}`, content: Buffer.alloc(100_000), size: 1, modified_at: 1 })
          .execute()
    })
  await assert.rejects(addMany(), (error) => asCarrelError(error).code === 'no_capacity')
  assert.equal((await db.selectFrom('memory_files').select('path').execute()).length, 0)
  rmSync(filler)
  await addMany()
  assert.equal((await db.selectFrom('memory_files').select('path').execute()).length, 10)
})
