import type { Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import type { Database, SessionRow } from '../../../db/schema.ts'
import { transaction } from '../../../db/transaction.ts'
import { CarrelError } from '../../../errors.ts'
import { assertCredit } from '../../computers/credit/assert-credit.ts'
import { assertRoom } from '../../computers/lifecycle/assert-room.ts'
import type { Authenticated } from '../../identity/accounts/tokens.ts'
import { newId } from '../../ids.ts'
import { assertHoldsNode } from '../../nodes/holds-node.ts'
import { operationOfRequest } from '../../operations/operations.ts'
import { findSample, type SampleAddress } from '../datasets/find-sample.ts'
import type { EnvironmentsContext } from '../environments.ts'
import { findSession } from './find-session.ts'
import { sessionCreateKind } from './prepare-session.ts'
import { assertEnforceable, programsOf } from './sample-computer.ts'

export interface NewSession {
  sample: SampleAddress
  /** How long the session lasts once it is ready; up to `limits.sampleSessionMs`. */
  ttlMs: number
  /** The Idempotency-Key of the request: a repeated one returns the same session. */
  requestKey?: string | undefined
}

/**
 * Creates a session on a sample, and begins to make it ready. Throws, before anything is made, `not_found` for an
 * unknown sample or version, `invalid_request` for a task that this server cannot run as it asks, `limit_reached`, and
 * `out_of_credits` or `spending_limit_reached`.
 */
export async function createSession(
  engine: EnvironmentsContext,
  caller: Authenticated,
  { sample, ttlMs, requestKey }: NewSession,
): Promise<SessionRow> {
  const { db, node, operations } = engine
  const earlier = requestKey && (await operationOfRequest(db, caller.accountId, requestKey))
  if (earlier) return findSession(engine, caller, earlier.resource_id)
  const { row: version, task } = await findSample(engine, sample)
  assertEnforceable(task, await hostMemoryBytes(engine))
  await assertCredit(engine, caller)
  const now = Date.now()
  const session: SessionRow = {
    id: newId(),
    account_id: caller.accountId,
    user_id: caller.userId,
    node_id: node.id,
    dataset: sample.dataset,
    sample_id: version.sample_id,
    version: version.version,
    sample_version_id: version.id,
    status: 'creating',
    error_code: null,
    error_message: null,
    ttl_ms: ttlMs,
    programs: JSON.stringify(programsOf(task)),
    interaction_count: 0,
    kept_bytes: 0,
    requested_at: now,
    ready_at: null,
    expires_at: now + ttlMs,
    ended_at: null,
  }
  const operation = await transaction(db, { kind: 'operational', queue: caller.accountId }, async (trx) => {
    await assertHoldsNode(trx, node)
    await assertRoom(trx, caller.accountId)
    await assertCreating(trx, caller.accountId)
    await trx.insertInto('sessions').values(session).execute()
    return operations.insert(trx, {
      accountId: caller.accountId,
      actor: caller.tokenId,
      kind: sessionCreateKind,
      resource: { type: 'session', id: session.id },
      requestKey,
    })
  })
  operations.begin(operation)
  return session
}

async function hostMemoryBytes({ db, node }: Pick<EnvironmentsContext, 'db' | 'node'>): Promise<number> {
  const row = await db.selectFrom('nodes').select('memory_bytes').where('id', '=', node.id).executeTakeFirstOrThrow()
  return Number(row.memory_bytes)
}

/** Throws `limit_reached` when too many sessions of the account are being created: their computers are not counted yet. */
async function assertCreating(trx: Transaction<Database>, accountId: string): Promise<void> {
  const { count } = await trx
    .selectFrom('sessions')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('account_id', '=', accountId)
    .where('status', '=', 'creating')
    .executeTakeFirstOrThrow()
  if (Number(count) < limits.sessionsCreatingPerAccount) return
  throw new CarrelError(
    'limit_reached',
    `Cannot create another session: ${count} of the account are being created, which is the limit`,
    { details: { limit: limits.sessionsCreatingPerAccount } },
  )
}
