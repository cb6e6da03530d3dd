import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDatabase } from '../../../db/open.ts'
import { CarrelError } from '../../../errors.ts'
import { AccountRemovals } from './account-removals.ts'
import { LiveConnections } from './live-connections.ts'
import type { Authenticated } from './tokens.ts'

test("what an issuer's token opened ends when the token is good for nothing any more, and not while the issuer is silent", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'open-callers-'))
  const db = await openDatabase(join(directory, 'carrel.db'))
  t.after(async () => {
    await db.destroy()
    await rm(directory, { recursive: true })
  })
  const open = new LiveConnections(db, new AccountRemovals())
  const ended: string[] = []
  const add = (name: string, verifyAgain: () => Promise<unknown>) => {
    const caller = { accountId: 'a', tokenId: `user:${name}`, userId: null, kind: 'session', role: 'owner' } as const
    open.add({ ...caller, scopes: null, expiresAtMs: null, verifyAgain } satisfies Authenticated, () =>
      ended.push(name),
    )
  }
  add('valid', async () => {})
  add('withdrawn', () => Promise.reject(new CarrelError('unauthenticated', 'the key is gone')))
  add('silent', () => Promise.reject(new CarrelError('unavailable', 'the issuer does not answer')))
  await open.endLapsed()
  assert.deepEqual(ended, ['withdrawn'])
})
