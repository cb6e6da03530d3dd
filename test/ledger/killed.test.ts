import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openDatabase } from '../../src/db/open.ts'
import { verifyBooks } from '../../src/engine/money/ledger/verify-books.ts'
import { newDatabase } from '../support/test-database.ts'

const program = fileURLToPath(new URL('fixtures/charge-for-ever.ts', import.meta.url))
const deaths = 8

test('a program that is killed with -9 while charging loses nothing that was answered, and charges nothing twice', async (t) => {
  const location = await newDatabase(t)
  let first = 0
  for (let death = 0; death < deaths; death++) {
    const answered = await chargeUntilKilled(location, first, 3 + death)
    const db = await openDatabase(location)
    assert.deepEqual((await verifyBooks(db, 0)).problems, [])
    const count = async (key: string) =>
      Number(
        (
          await db
            .selectFrom('ledger_transactions')
            .select(({ fn }) => fn.countAll<number>().as('count'))
            .where('key', 'like', key)
            .executeTakeFirstOrThrow()
        ).count,
      )
    assert.ok((await count('usage:c0:%')) > answered, 'what was answered is there')
    for (const index of [0, 39]) assert.equal(await count(`usage:c${index}:compute:${answered}000`), 1)
    await db.destroy()
    // The next program repeats requests from a little before the last answered one.
    first = Math.max(0, answered - 2)
  }
})

/** Returns the last batch that the program reported as done. */
async function chargeUntilKilled(location: string, first: number, batches: number): Promise<number> {
  const child = spawn(process.execPath, [program, location, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  let output = ''
  for await (const chunk of child.stdout) {
    output += String(chunk)
    if (output.split('\n').length > batches) break
  }
  child.kill('SIGKILL')
  await exited
  return Number(output.trim().split('\n').at(-1))
}
