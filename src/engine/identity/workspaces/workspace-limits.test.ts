import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAccount } from '../accounts/owner.ts'
import { limits } from '../../../config/limits.ts'
import { authenticateToken, insertToken } from '../accounts/tokens.ts'
import { chunks } from '../../../db/chunks.ts'
import { changeLimits } from './workspace-limits.ts'
import { openTestDatabase } from '../../../../test/support/test-database.ts'

test('keeps the limits of the workspace, of live keys, and the most recent ones of revoked keys', async (t) => {
  const db = await openTestDatabase(t)
  const accountId = await createAccount(db, 'a')
  const { secret } = await insertToken(db, { accountId, kind: 'session', name: 'owner' })
  const { row: key } = await insertToken(db, { accountId, kind: 'api_key', name: 'key' })
  const caller = await authenticateToken(db, secret)
  const engine = { db }
  await changeLimits(engine, caller, [{ dayMicros: 10 }, { keyId: key.id, dayMicros: 20 }])
  const revoked = Array.from({ length: limits.revokedKeyLimits + 5 }, (_, index) => ({
    account_id: accountId,
    token_id: `gone${index}`,
    period: 'month' as const,
    limit_micros: 1,
    updated_at: Date.now() + index,
  }))
  for (const some of chunks(revoked)) await db.insertInto('spending_limits').values(some).execute()
  const shown = await changeLimits(engine, caller, [{ monthMicros: 30 }])
  assert.deepEqual(
    shown.map(({ tokenId, period, limitMicros }) => [tokenId, period, limitMicros]),
    [
      [undefined, 'day', 10],
      [undefined, 'month', 30],
      [key.id, 'day', 20],
    ],
  )
  const left = await db.selectFrom('spending_limits').select('token_id').execute()
  const gone = left.map(({ token_id }) => token_id).filter((id) => id.startsWith('gone'))
  assert.equal(gone.length, limits.revokedKeyLimits)
  assert.ok(!gone.includes('gone4') && gone.includes('gone5'))
})
