import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAccount } from './owner.ts'
import { limits } from '../../../config/limits.ts'
import { AccountRemovals } from './account-removals.ts'
import { LiveConnections } from './live-connections.ts'
import { chunks } from '../../../db/chunks.ts'
import { endOtherSessions, listSessions } from './sessions.ts'
import { authenticateToken, insertToken } from './tokens.ts'
import { turnsDuring } from '../../../../test/support/turns-during.ts'
import { openTestDatabase } from '../../../../test/support/test-database.ts'

test('of very many sign-ins the last to expire are listed, and endOtherSessions() lets other work run between its steps', async (t) => {
  const db = await openTestDatabase(t)
  const accountId = await createAccount(db, 'a')
  const user = {
    id: 'u',
    account_id: accountId,
    name: 'u',
    email: null,
    created_at: 1,
    last_login_at: null,
    delete_at: null,
  }
  await db.insertInto('users').values(user).execute()
  await db
    .insertInto('memberships')
    .values({ account_id: accountId, user_id: 'u', role: 'owner', created_at: 1 })
    .execute()
  const { secret, row } = await insertToken(db, {
    accountId,
    userId: 'u',
    kind: 'session',
    name: 'now',
    lifeMs: 1e9,
  })
  const many = 2 * limits.sessionsListed
  const others = Array.from({ length: many }, (_, index) => ({
    ...row,
    id: `t${index}`,
    hash: `h${index}`,
    created_at: index,
    expires_at: row.expires_at! - many + index,
  }))
  const over = { ...row, id: 'over', hash: 'over', expires_at: Date.now() - 1 }
  for (const some of chunks([...others, over])) await db.insertInto('tokens').values(some).execute()
  const engine = { db, liveConnections: new LiveConnections(db, new AccountRemovals()) }
  const caller = await authenticateToken(db, secret)
  const listed = (await listSessions(engine, caller)).map(({ id }) => id)
  assert.equal(listed.length, limits.sessionsListed)
  assert.deepEqual(
    [listed[0], listed[1], listed.at(-1)],
    [row.id, `t${many - 1}`, `t${many - limits.sessionsListed + 1}`],
  )
  const turns = await turnsDuring(async () => assert.equal(await endOtherSessions(engine, caller), many))
  assert.ok(turns >= many / limits.sessionsEndedAtOnce, `${turns} turns`)
  assert.deepEqual(
    (await listSessions(engine, caller)).map(({ id }) => id),
    [row.id],
  )
})
