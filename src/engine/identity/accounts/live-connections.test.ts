import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CarrelError } from '../../../errors.ts'
import { AccountRemovals } from './account-removals.ts'
import { LiveConnections } from './live-connections.ts'
import type { Authenticated } from './tokens.ts'
import { openTestDatabase } from '../../../../test/support/test-database.ts'

test("a connection of an issuer's token ends when the token is not valid any more, and not while the issuer does not answer", async (t) => {
  const db = await openTestDatabase(t, { inFile: true })
  const connections = new LiveConnections(db, new AccountRemovals())
  const ended: string[] = []
  const add = (name: string, verifyAgain: () => Promise<unknown>) => {
    const caller = { accountId: 'a', tokenId: `user:${name}`, userId: null, kind: 'session', role: 'owner' } as const
    connections.add({ ...caller, scopes: null, expiresAtMs: null, verifyAgain } satisfies Authenticated, () =>
      ended.push(name),
    )
  }
  add('valid', async () => {})
  add('withdrawn', () => Promise.reject(new CarrelError('unauthenticated', 'the key is gone')))
  add('silent', () => Promise.reject(new CarrelError('unavailable', 'the issuer does not answer')))
  await connections.endLapsed()
  assert.deepEqual(ended, ['withdrawn'])
})
