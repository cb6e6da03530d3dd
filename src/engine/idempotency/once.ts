import { createHash } from 'node:crypto'
import { limits } from '../../config/limits.ts'
import { CarrelError } from '../../errors.ts'
import { writeJson } from '../../json/write-json.ts'
import { Slices } from '../../slices.ts'
import { newId } from '../ids.ts'
import { countAnswers, forgetOldest, forgottenAnswer, ofProcess } from './forget-oldest.ts'
import type { IdempotencyContext } from './idempotency.ts'
import type { Context } from '../context.ts'

export interface StoredResponse {
  status: number
  body: string
}

/** A request that is answered under its key. */
export interface Claim {
  accountId: string
  key: string
  /** The id of the process that it starts, if it starts one: chosen before, so that no moment is left in which it runs unknown. */
  processId: string
  /** True when an earlier request of the key started the process and was not answered: wait for it, start nothing. */
  began: boolean
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
 * Who gets a claim has to `complete`, `release` or `abandon` it.
 */
export async function claimKey(
  engine: Pick<IdempotencyContext, 'db' | 'responseCache'>,
  request: Request,
): Promise<StoredResponse | Claim> {
  if (request.key.length > limits.idempotencyKeyLength)
    throw new CarrelError('invalid_request', 'Cannot use the Idempotency-Key: it is too long')
  const { accountId, key } = request
  const requestHash = await hashOf(request)
  const processId = newId()
  const inserted = await engine.db
    .insertInto('idempotency')
    .values({
      account_id: accountId,
      key,
      request_hash: requestHash,
      status: null,
      body: processId,
      created_at: Date.now(),
      bytes: 0,
      process_id: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  if (inserted.numInsertedOrUpdatedRows === 1n) {
    engine.responseCache.add(accountId, { keys: 1 })
    if (engine.responseCache.surplus(accountId).keys > 0) await forgetOldest(engine, accountId)
    return { accountId, key, processId, began: false }
  }
  const row = await engine.db
    .selectFrom('idempotency')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('key', '=', key)
    .executeTakeFirst()
  // It was given up in between: this request is a first one then.
  if (!row) return claimKey(engine, request)
  if (row.request_hash !== requestHash)
    throw new CarrelError(
      'idempotency_mismatch',
      'Cannot repeat the request: its Idempotency-Key belongs to another one',
    )
  if (row.status === forgottenAnswer)
    throw new CarrelError(
      'conflict',
      'Cannot repeat the request: it was answered, and the answer is kept no longer; another key does it again',
    )
  if (row.status === null || row.body === null || (row.status === ofProcess && !(await takeOver(engine, request))))
    throw new CarrelError('idempotency_in_progress', 'Cannot repeat the request: the first one still runs')
  if (row.status === ofProcess) return { accountId, key, processId: row.body, began: true }
  return { status: row.status, body: row.body }
}

/** How much of an answer is kept as it is: of that of a process little, since it can be made again. */
export function maxBytesOf(engine: Pick<Context, 'driver'>, claim: Claim): number {
  return hasBegun(engine, claim.processId) ? limits.idempotentProcessBytes : limits.idempotentResponseBytes
}

/** Keeps the answer for later repetitions. */
export async function completeKey(
  engine: Pick<IdempotencyContext, 'db' | 'driver' | 'responseCache'>,
  claim: Claim,
  { status, body }: StoredResponse,
): Promise<void> {
  const { accountId, key, processId } = claim
  const bytes = Buffer.byteLength(body)
  const process_id = hasBegun(engine, processId) ? processId : null
  const { numUpdatedRows } = await engine.db
    .updateTable('idempotency')
    .set({ status, body, bytes, process_id })
    .where('account_id', '=', accountId)
    .where('key', '=', key)
    .executeTakeFirst()
  if (numUpdatedRows === 0n) return
  engine.responseCache.add(accountId, { bytes })
  if (engine.responseCache.surplus(accountId).bytes > 0) await forgetOldest(engine, accountId)
}

/**
 * The request failed in a way that may pass. When its process began, a repetition waits for that one; otherwise it is a
 * new try.
 */
export async function releaseKey(
  engine: Pick<IdempotencyContext, 'db' | 'driver' | 'server' | 'responseCache'>,
  claim: Claim,
): Promise<void> {
  // Its process may begin yet: the next server sees whether it did.
  if (engine.server.stopping.aborted) return
  await (claim.began || hasBegun(engine, claim.processId) ? leave(engine, claim) : abandonKey(engine, claim))
}

/** Forgets the key: a repetition does it all again. */
export async function abandonKey(
  engine: Pick<IdempotencyContext, 'db' | 'responseCache'>,
  { accountId, key }: Pick<Claim, 'accountId' | 'key'>,
): Promise<void> {
  const { numDeletedRows } = await engine.db
    .deleteFrom('idempotency')
    .where('account_id', '=', accountId)
    .where('key', '=', key)
    .executeTakeFirst()
  engine.responseCache.add(accountId, { keys: -Number(numDeletedRows) })
}

/**
 * Forgets keys after a day. At a start also those whose request was cut off, unless its process began: then a repetition
 * gets the end of that one.
 */
export async function pruneKeys(
  engine: Pick<IdempotencyContext, 'db' | 'driver' | 'responseCache'>,
  options: { unfinished: boolean },
): Promise<void> {
  await engine.db
    .deleteFrom('idempotency')
    .where('created_at', '<', Date.now() - limits.idempotencyMs)
    .execute()
  await countAnswers(engine)
  if (!options.unfinished) return
  const cutOff = await engine.db.selectFrom('idempotency').selectAll().where('status', 'is', null).execute()
  for (const { account_id: accountId, key, body: processId } of cutOff) {
    const began = processId !== null && hasBegun(engine, processId)
    await (began ? leave : abandonKey)(engine, { accountId, key })
  }
}

/** True when its process runs, or ended and is still known. */
function hasBegun(engine: Pick<Context, 'driver'>, processId: string): boolean {
  return engine.driver.process(processId) !== undefined
}

async function leave(engine: Pick<Context, 'db'>, { accountId, key }: Pick<Claim, 'accountId' | 'key'>): Promise<void> {
  await engine.db
    .updateTable('idempotency')
    .set({ status: ofProcess })
    .where('account_id', '=', accountId)
    .where('key', '=', key)
    .where('status', 'is', null)
    .execute()
}

/** Of several repetitions at once, one waits for the process. */
async function takeOver(engine: Pick<Context, 'db'>, { accountId, key }: Request): Promise<boolean> {
  const { numUpdatedRows } = await engine.db
    .updateTable('idempotency')
    .set({ status: null })
    .where('account_id', '=', accountId)
    .where('key', '=', key)
    .where('status', '=', ofProcess)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

async function hashOf({ accountId, method, path, body }: Request): Promise<string> {
  const hash = createHash('sha256').update(`${method} ${path}\n`)
  for await (const piece of writeJson(inOrder(body ?? null), new Slices(accountId))) hash.update(piece)
  return hash.digest('hex')
}

/** Fields in the order of their names: a body says the same in any order. */
function inOrder(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(inOrder)
  const fields = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1))
  return Object.fromEntries(fields.map(([name, each]) => [name, inOrder(each)]))
}
