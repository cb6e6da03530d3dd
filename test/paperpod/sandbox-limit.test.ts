import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { limits } from '../../src/config/limits.ts'
import { openDatabase } from '../../src/db/open.ts'
import type { ComputerRow } from '../../src/db/schema.ts'
import { createAccount } from '../../src/engine/identity/accounts/owner.ts'
import { createToken } from '../../src/engine/identity/accounts/tokens.ts'
import { newId } from '../../src/engine/ids.ts'
import { serverDatabase } from '../support/server-database.ts'
import { newSession } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

let server: TestApp
let database: Awaited<ReturnType<typeof openDatabase>>
let accountId: string
let token: string

before(async () => {
  server = await TestApp.start()
  database = await openDatabase(await serverDatabase())
  accountId = await createAccount(database, 'many sandboxes')
  token = await createToken(database, accountId, 'test', 3_600_000)
})
after(async () => {
  await database.deleteFrom('computers').where('account_id', '=', accountId).where('state', '!=', 'running').execute()
  await database.destroy()
  await server.stop()
})

test('an account at its limit of sandboxes gets another one in place of the one that was stopped longest ago', async () => {
  const executeIn = (sessionId: string) =>
    server.call('POST', '/execute', { code: 'echo fine', language: 'shell', sessionId }, { token })
  const first = newSession()
  assert.equal((await executeIn(first)).status, 200)
  const model = await database.selectFrom('computers').selectAll().where('name', '=', first).executeTakeFirstOrThrow()
  const more = Array.from({ length: limits.computersPerAccount - 1 }, (_, index) => stopped(model, index))
  for (let start = 0; start < more.length; start += 100)
    await database
      .insertInto('computers')
      .values(more.slice(start, start + 100))
      .execute()

  assert.equal((await executeIn(newSession())).status, 200)
  const left = await database.selectFrom('computers').select('id').where('account_id', '=', accountId).execute()
  assert.equal(left.length, limits.computersPerAccount)
  const ids = new Set(left.map(({ id }) => id))
  assert.deepEqual([ids.has(model.id), ids.has(more[0]!.id), ids.has(more[1]!.id)], [true, false, true])

  await database
    .updateTable('computers')
    .set({ state: 'paused' })
    .where('account_id', '=', accountId)
    .where('state', '=', 'stopped')
    .execute()
  const { status, body } = await executeIn(newSession())
  assert.deepEqual([status, body.code, body.action], [429, 'LIMIT_REACHED', 'FREE_SOMETHING'])
})

function stopped(model: ComputerRow, index: number): ComputerRow {
  return { ...model, id: newId(), name: newSession(), state: 'stopped', last_active_at: 1000 + index }
}
