import { createHash } from 'node:crypto'
import { limits } from '../../config/limits.ts'
import { CarrelError } from '../../errors.ts'
import type { Engine } from '../engine.ts'

export interface StoredResponse {
  status: number
  body: string
}

interface Request {
  accountId: string
  key: string
  method: string
  path: string
  body: unknown
}

/**
 * Claims an Idempotency-Key for a request. Gives the stored answer when the same request came before; rejects with
 * `idempotency_mismatch` when another one did, and with `idempotency_in_progress` while the first still runs.
 * undefined: it is the first, and the caller has to `complete` or `abandon` it.
 */
export async function claimKey(engine: Engine, request: Request): Promise<StoredResponse | undefined> {
  if (request.key.length > limits.idempotencyKeyLength)
    throw new CarrelError('invalid_request', 'Cannot use the Idempotency-Key: it is too long')
  const requestHash = hashOf(request)
  const inserted = await engine.db
    .insertInto('idempotency')
    .values({
      account_id: request.accountId,
      key: request.key,
      request_hash: requestHash,
      status: null,
      body: null,
      created_at: Date.now(),
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  if (inserted.numInsertedOrUpdatedRows === 1n) return undefined
  const row = await engine.db
    .selectFrom('idempotency')
    .selectAll()
    .where('account_id', '=', request.accountId)
    .where('key', '=', request.key)
    .executeTakeFirst()
  // It was given up in between: this request is a first one then.
  if (!row) return claimKey(engine, request)
  if (row.request_hash !== requestHash)
    throw new CarrelError(
      'idempotency_mismatch',
      'Cannot repeat the request: its Idempotency-Key belongs to another one',
    )
  if (row.status === null || row.body === null)
    throw new CarrelError('idempotency_in_progress', 'Cannot repeat the request: the first one still runs')
  return { status: row.status, body: row.body }
}

/** Keeps the answer for later repetitions. */
export async function completeKey(
  engine: Engine,
  accountId: string,
  key: string,
  response: StoredResponse,
): Promise<void> {
  await engine.db
    .updateTable('idempotency')
    .set(response)
    .where('account_id', '=', accountId)
    .where('key', '=', key)
    .execute()
}

/** The request failed in a way that may pass: a repetition is a new try. */
export async function abandonKey(engine: Engine, accountId: string, key: string): Promise<void> {
  await engine.db.deleteFrom('idempotency').where('account_id', '=', accountId).where('key', '=', key).execute()
}

/** Forgets keys after a day, and at a start those whose request was cut off. */
export async function pruneKeys(engine: Engine, options: { unfinished: boolean }): Promise<void> {
  await engine.db
    .deleteFrom('idempotency')
    .where('created_at', '<', Date.now() - limits.idempotencyMs)
    .execute()
  if (options.unfinished) await engine.db.deleteFrom('idempotency').where('status', 'is', null).execute()
}

function hashOf(request: Request): string {
  return createHash('sha256')
    .update(`${request.method} ${request.path}\n${JSON.stringify(request.body ?? null)}`)
    .digest('hex')
}
