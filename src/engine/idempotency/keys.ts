import { createHash } from 'node:crypto'
import type { ExpressionBuilder } from 'kysely'
import { limits } from '../../config/limits.ts'
import { CarrelError } from '../../errors.ts'
import { writeJson } from '../../json/write-json.ts'
import { Slices } from '../../slices.ts'
import type { Database, IdempotencyRow } from '../../db/schema.ts'
import { newId } from '../ids.ts'
import { otherNode } from '../nodes/other-node.ts'
import { dropOldest, recountResponses } from './drop-oldest.ts'
import type { IdempotencyContext } from './idempotency.ts'
import type { Context } from '../context.ts'

/** A response as it is stored under a key. */
export interface StoredResponse {
  status: number
  body: string
}

/** The right of one request to be carried out under its key. */
export interface Claim {
  accountId: string
  key: string
  /**
   * The id of the process that the request starts, if it starts one. Reserved beforehand, so that the key always leads
   * to it.
   */
  processId: string
  /** True when an earlier request with the key started the process and was not answered: wait for it, start nothing. */
  hasStarted: boolean
}

interface Request {
  accountId: string
  key: string
  method: string
  path: string
  body: unknown
}

/**
 * Claims an Idempotency-Key for a request, or returns the stored response when the same request was answered before.
 * Throws `idempotency_mismatch` when the key was used for another request, `idempotency_in_progress` while the first
 * request is being carried out, on whatever node, `other_node` when another node has its process, and `conflict` when
 * its response is not stored any more. The caller has to end a claim
 * by `completeKey`, `releaseKey` or `abandonKey`.
 */
export async function claimKey(
  engine: Pick<IdempotencyContext, 'db' | 'node' | 'driver' | 'responseSizes' | 'openClaims'>,
  request: Request,
): Promise<StoredResponse | Claim> {
  if (request.key.length > limits.idempotencyKeyLength)
    throw new CarrelError('invalid_request', 'Cannot use the Idempotency-Key: it is too long')
  const { accountId, key } = request
  const requestHash = await hashOf(request)
  const processId = newId()
  const row = {
    account_id: accountId,
    key,
    node_id: engine.node.id,
    request_hash: requestHash,
    state: 'in_progress',
    status: null,
    body: null,
    created_at: Date.now(),
    bytes: 0,
    process_id: processId,
  } as const
  if (await opens(engine, processId, () => insertUnlessExists(engine, row))) {
    engine.responseSizes.add(accountId, { keys: 1 })
    if (engine.responseSizes.surplus(accountId).keys > 0) await dropOldest(engine, accountId)
    return { accountId, key, processId, hasStarted: false }
  }
  const existing = await engine.db
    .selectFrom('idempotency')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('key', '=', key)
    .executeTakeFirst()
  // The key was abandoned in between, or could not be, which makes this request the first one.
  if (!existing || (await endUnrecorded(engine, existing))) return claimKey(engine, request)
  if (existing.request_hash !== requestHash)
    throw new CarrelError(
      'idempotency_mismatch',
      'Cannot repeat the request: its Idempotency-Key belongs to another one',
    )
  return (await repeatOf(engine, existing)) ?? throwInProgress()
}

async function insertUnlessExists({ db }: Pick<Context, 'db'>, row: IdempotencyRow): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('idempotency')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow()
  return numInsertedOrUpdatedRows === 1n
}

/** Counts a claim as open from before work that makes it, unless the work does not. Returns whether it does. */
async function opens(
  { openClaims }: Pick<IdempotencyContext, 'openClaims'>,
  processId: string,
  claim: () => Promise<boolean>,
): Promise<boolean> {
  if (openClaims.has(processId)) return false
  openClaims.add(processId)
  let isClaimed = false
  try {
    isClaimed = await claim()
  } finally {
    if (!isClaimed) openClaims.delete(processId)
  }
  return isClaimed
}

/** Ends a claim by work that records its end. It is over even where that fails: a repetition records it. */
async function closing<T>(
  { openClaims }: Pick<IdempotencyContext, 'openClaims'>,
  { processId }: Claim,
  record: () => Promise<T>,
): Promise<T> {
  try {
    return await record()
  } finally {
    openClaims.delete(processId)
  }
}

/** Ends a claim whose request is over, and whose end the database did not take. Returns whether it is such a claim. */
async function endUnrecorded(
  engine: Pick<IdempotencyContext, 'db' | 'node' | 'driver' | 'responseSizes' | 'openClaims'>,
  { account_id: accountId, key, node_id, state, process_id: processId }: IdempotencyRow,
): Promise<boolean> {
  if (state !== 'in_progress' || node_id !== engine.node.id || processId === null) return false
  if (engine.openClaims.has(processId)) return false
  await (isKnown(engine, processId) ? leave : remove)(engine, { accountId, key, processId })
  return true
}

/** Returns what the repetition of a request gets; undefined while the first one is being carried out. */
async function repeatOf(
  engine: Pick<IdempotencyContext, 'db' | 'node' | 'openClaims'>,
  row: IdempotencyRow,
): Promise<StoredResponse | Claim | undefined> {
  const { account_id: accountId, key, process_id: processId, status, body } = row
  if (row.state === 'answered' && status !== null && body !== null) return { status, body }
  if (row.state === 'dropped')
    throw new CarrelError(
      'conflict',
      'Cannot repeat the request: it was answered, and the response is not stored any more; use another key to carry it out again',
    )
  if (row.state === 'process' && row.node_id !== engine.node.id)
    throw await otherNode(engine.db, 'Cannot repeat the request', row.node_id)
  const isFree = row.state === 'process' && processId !== null
  if (isFree && (await opens(engine, processId, () => takeOver(engine, { accountId, key, processId }))))
    return { accountId, key, processId, hasStarted: true }
  return undefined
}

function throwInProgress(): never {
  throw new CarrelError('idempotency_in_progress', 'Cannot repeat the request: the first one still runs')
}

/** Returns how much of a response is stored: less where a process gives it, since it can be made again. */
export function maxStoredBytes(engine: Pick<Context, 'driver'>, claim: Claim): number {
  return isKnown(engine, claim.processId) ? limits.idempotentProcessBytes : limits.idempotentResponseBytes
}

/** Stores the response for later repetitions. */
export async function completeKey(
  engine: Pick<IdempotencyContext, 'db' | 'node' | 'driver' | 'responseSizes' | 'openClaims'>,
  claim: Claim,
  { status, body }: StoredResponse,
): Promise<void> {
  const { accountId, processId } = claim
  const bytes = Buffer.byteLength(body)
  const process_id = isKnown(engine, processId) ? processId : null
  const { numUpdatedRows } = await closing(engine, claim, () =>
    engine.db
      .updateTable('idempotency')
      .set({ state: 'answered', status, body, bytes, process_id })
      .where(isOwn(engine, claim))
      .executeTakeFirst(),
  )
  if (numUpdatedRows === 0n) return
  engine.responseSizes.add(accountId, { bytes })
  if (engine.responseSizes.surplus(accountId).bytes > 0) await dropOldest(engine, accountId)
}

/**
 * Releases the claim of a request that failed for a reason that can pass. A repetition waits for the request's process
 * when that has started, and is carried out anew otherwise.
 */
export async function releaseKey(
  engine: Pick<IdempotencyContext, 'db' | 'node' | 'driver' | 'server' | 'responseSizes' | 'openClaims'>,
  claim: Claim,
): Promise<void> {
  // Its process can still start: the next server finds out.
  if (engine.server.stopping.aborted) return
  const end = claim.hasStarted || isKnown(engine, claim.processId) ? leave : remove
  await closing(engine, claim, () => end(engine, claim))
}

/** Deletes the key: a repetition is carried out anew. */
export async function abandonKey(
  engine: Pick<IdempotencyContext, 'db' | 'node' | 'responseSizes' | 'openClaims'>,
  claim: Claim,
): Promise<void> {
  await closing(engine, claim, () => remove(engine, claim))
}

async function remove(engine: Pick<IdempotencyContext, 'db' | 'node' | 'responseSizes'>, claim: Named): Promise<void> {
  const { numDeletedRows } = await engine.db.deleteFrom('idempotency').where(isOwn(engine, claim)).executeTakeFirst()
  engine.responseSizes.add(claim.accountId, { keys: -Number(numDeletedRows) })
}

/**
 * Deletes keys after a day. With `unfinished`, at the start of the server, also deletes this node's keys whose request
 * was cut off, unless its process has started: then a repetition gets the result of the process.
 */
export async function pruneKeys(
  engine: Pick<IdempotencyContext, 'db' | 'node' | 'driver' | 'responseSizes'>,
  options: { unfinished: boolean },
): Promise<void> {
  await engine.db
    .deleteFrom('idempotency')
    .where('created_at', '<', Date.now() - limits.idempotencyMs)
    .execute()
  await recountResponses(engine)
  if (!options.unfinished) return
  const cutOff = await engine.db
    .selectFrom('idempotency')
    .select(['account_id', 'key', 'process_id'])
    .where('node_id', '=', engine.node.id)
    .where('state', '=', 'in_progress')
    .execute()
  for (const { account_id: accountId, key, process_id: processId } of cutOff)
    await (processId !== null && isKnown(engine, processId) ? leave : remove)(engine, { accountId, key, processId })
}

/** Returns whether a process runs, or has ended and is still known. */
function isKnown(engine: Pick<Context, 'driver'>, processId: string): boolean {
  return engine.driver.process(processId) !== undefined
}

/** Leaves the response to the request's process. */
async function leave(engine: Pick<Context, 'db' | 'node'>, claim: Named): Promise<void> {
  await engine.db
    .updateTable('idempotency')
    .set({ state: 'process' })
    .where(isOwn(engine, claim))
    .where('state', '=', 'in_progress')
    .execute()
}

/** Lets one of several repetitions at once wait for the process. Returns whether it is this one. */
async function takeOver(engine: Pick<Context, 'db' | 'node'>, claim: Named): Promise<boolean> {
  const { numUpdatedRows } = await engine.db
    .updateTable('idempotency')
    .set({ state: 'in_progress' })
    .where(isOwn(engine, claim))
    .where('state', '=', 'process')
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

type Named = Pick<Claim, 'accountId' | 'key'> & { processId: string | null }

/** Returns the condition for the row of a claim: another request can have got the key once this one's was pruned. */
function isOwn({ node }: Pick<Context, 'node'>, { accountId, key, processId }: Named) {
  return (eb: ExpressionBuilder<Database, 'idempotency'>) =>
    eb.and([
      eb.and({ account_id: accountId, key, node_id: node.id }),
      eb('process_id', processId === null ? 'is' : '=', processId),
    ])
}

async function hashOf({ accountId, method, path, body }: Request): Promise<string> {
  const hash = createHash('sha256').update(`${method} ${path}\n`)
  for await (const piece of writeJson(inOrder(body ?? null), new Slices(accountId))) hash.update(piece)
  return hash.digest('hex')
}

/** Returns the value with fields in the order of their names, since a body means the same in any order. */
function inOrder(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(inOrder)
  const fields = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1))
  return Object.fromEntries(fields.map(([name, each]) => [name, inOrder(each)]))
}
