import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { deleteDue } from '../../src/engine/deletion/delete-due.ts'
import { createAccount } from '../../src/engine/identity/accounts/owner.ts'
import { createToken } from '../../src/engine/identity/accounts/tokens.ts'
import { newSession } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

describe('the deletion of a workspace with computers on two nodes', { timeout: 60_000 }, () => {
  let leading: TestApp
  let other: TestApp
  let accountId: string
  before(async () => {
    const env = { CARREL_SWEEP_INTERVAL_MS: '3600000' }
    leading = await TestApp.start({ env })
    other = await TestApp.start({ env, node: 'second' })
    accountId = await createAccount(leading.db, 'leaving')
    const token = await createToken(leading.db, accountId, 'token')
    for (const app of [leading, other]) {
      const body = { code: 'true', language: 'shell', sessionId: newSession() }
      assert.equal((await app.post('/execute', body, { token })).status, 200)
      await app.engine.recorder.flush()
    }
    await leading.db.updateTable('accounts').set({ delete_at: 1 }).where('id', '=', accountId).execute()
  })
  after(async () => {
    await other.stop()
    await leading.stop()
  })

  const left = async () => {
    const of = (table: 'computers' | 'processes') =>
      leading.db.selectFrom(table).select('node_id').where('account_id', '=', accountId).execute()
    const accounts = await leading.db.selectFrom('accounts').select('id').where('id', '=', accountId).execute()
    return { computers: await of('computers'), processes: await of('processes'), accounts: accounts.length }
  }

  test('waits for the other server, which deletes its own computers and nothing else', async () => {
    for (let pass = 0; pass < 4; pass++) await deleteDue(leading.engine)
    const onOther = [{ node_id: other.engine.node.id }]
    const { computers, processes, accounts } = await left()
    assert.deepEqual(
      [computers, processes, accounts].map((rows) => JSON.stringify(rows)),
      [onOther, onOther, 1].map((rows) => JSON.stringify(rows)),
    )
    assert.equal((await other.driver.list({ limit: 10 })).computers.length, 1, 'it runs on')
    for (let pass = 0; pass < 3; pass++) await deleteDue(other.engine)
    assert.deepEqual(await left(), { computers: [], processes: [], accounts: 1 })
    await deleteDue(leading.engine)
    await deleteDue(leading.engine)
    assert.deepEqual(await left(), { computers: [], processes: [], accounts: 0 })
  })
})
