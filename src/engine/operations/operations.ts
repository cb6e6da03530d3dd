import type { Kysely, Transaction } from 'kysely'
import { limits } from '../../config/limits.ts'
import type { Database, OperationRow } from '../../db/schema.ts'
import { asCarrelError, CarrelError } from '../../errors.ts'
import type { Context } from '../context.ts'
import { newId } from '../ids.ts'
import { holdsNode } from '../nodes/holds-node.ts'

/**
 * Does what an operation is for. It is called again when the server was ended in the middle, so it finds out how far it
 * has come; it is never called twice at a time. What it returns is kept as the operation's result.
 */
export type OperationWork = (operation: OperationRow, report: ReportProgress) => Promise<unknown>

/**
 * Reports how far an operation is, from 0 to 1, and what it does right now, as people read it. It may be called often.
 */
export type ReportProgress = (progress: number, step?: string) => void

/** What a request asks for. */
export interface NewOperation {
  accountId: string
  /** A token's id, or what else is recorded as the one that did it. */
  actor: string
  kind: string
  resource: { type: string; id: string }
  input?: unknown
  /** The Idempotency-Key of the request, if it has one. */
  requestKey?: string | undefined
}

type OperationsContext = Pick<Context, 'db' | 'node' | 'log' | 'server'>

/**
 * Long actions as rows: each one is done in the background, and done again from where it is when a server takes over the
 * node. None stays `running` for ever.
 */
export class Operations {
  readonly #engine: OperationsContext
  readonly #works: ReadonlyMap<string, OperationWork>
  readonly #running = new Map<string, Promise<void>>()
  /** What running operations do right now, by their ids. */
  readonly #steps = new Map<string, string>()

  /** @param works what each kind of operation does */
  constructor(engine: OperationsContext, works: Readonly<Record<string, OperationWork>>) {
    this.#engine = engine
    this.#works = new Map(Object.entries(works))
  }

  /** Records an operation in the transaction that makes it necessary. `begin` has to be called after its commit. */
  async insert(trx: Transaction<Database>, { resource, input, ...asked }: NewOperation): Promise<OperationRow> {
    const now = Date.now()
    const row: OperationRow = {
      id: newId(),
      account_id: asked.accountId,
      node_id: this.#engine.node.id,
      kind: asked.kind,
      state: 'running',
      progress: 0,
      result: null,
      error: null,
      created_at: now,
      updated_at: now,
      resource_type: resource.type,
      resource_id: resource.id,
      actor: asked.actor,
      input: input === undefined ? null : JSON.stringify(input),
      request_key: asked.requestKey ?? null,
      ended_at: null,
    }
    await trx.insertInto('operations').values(row).execute()
    return row
  }

  /** Does the work of a recorded operation in the background; nothing where it is under way. */
  begin(row: OperationRow): void {
    if (this.#running.has(row.id)) return
    const done = this.#run(row).finally(() => {
      this.#running.delete(row.id)
      this.#steps.delete(row.id)
    })
    this.#running.set(row.id, done)
  }

  /** Returns what an operation does right now, as people read it; undefined when it does not say. */
  stepOf(id: string): string | undefined {
    return this.#steps.get(id)
  }

  /** Resolves when an operation that this server does has ended, and at once for any other. */
  async settled(id: string): Promise<void> {
    await this.#running.get(id)
  }

  /**
   * Goes on with the operations of this node that nobody does: those of an earlier server, and those whose end the
   * database did not take.
   */
  async resume(): Promise<void> {
    const { db, node } = this.#engine
    const rows = await db
      .selectFrom('operations')
      .selectAll()
      .where('node_id', '=', node.id)
      .where('state', '=', 'running')
      .execute()
    for (const row of rows) this.begin(row)
  }

  async #run(row: OperationRow): Promise<void> {
    const work = this.#works.get(row.kind) ?? (() => Promise.reject(unknownKind(row.kind)))
    try {
      const result = await work(row, this.#reporter(row))
      await this.#update(row.id, { state: 'succeeded', progress: 1, result: JSON.stringify(result ?? null) })
    } catch (error) {
      // The next server goes on with what this one gives up because it ends.
      if (this.#engine.server.closing.aborted) return
      const { code, message } = asCarrelError(error)
      if (code === 'internal') this.#engine.log.error({ err: error, operation: row.id }, 'an operation failed')
      await this.#update(row.id, { state: 'failed', error: JSON.stringify({ code, message }) }).catch(
        (cause: unknown) =>
          this.#engine.log.error({ err: cause, operation: row.id }, 'cannot record how an operation ended'),
      )
    }
  }

  /** Returns a function that writes progress to the row when it is a hundredth further, or is back. */
  #reporter({ id, progress: from }: OperationRow): ReportProgress {
    let written = from
    return (progress, step) => {
      if (step !== undefined && this.#running.has(id)) this.#steps.set(id, step)
      if (progress >= written && progress < written + 0.01) return
      written = progress
      void this.#update(id, { progress }).catch(() => {})
    }
  }

  async #update(id: string, set: Partial<OperationRow>): Promise<void> {
    const now = Date.now()
    await this.#engine.db
      .updateTable('operations')
      .set({ ...set, updated_at: now, ...(set.state ? { ended_at: now } : {}) })
      .where('id', '=', id)
      // Progress that is reported late must not change an operation that has ended.
      .where('state', '=', 'running')
      .where(holdsNode(this.#engine.node))
      .execute()
  }
}

/** Returns an operation of the account. Throws `not_found` when the account has none of that id. */
export async function getOperation(
  { db }: { db: Kysely<Database> },
  accountId: string,
  id: string,
): Promise<OperationRow> {
  const row = await db
    .selectFrom('operations')
    .selectAll()
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .executeTakeFirst()
  if (row) return row
  throw new CarrelError(
    'not_found',
    `Cannot find operation ${JSON.stringify(id.slice(0, 64))}: the account has none of that id`,
  )
}

/** Returns the operation that a request with the same Idempotency-Key has begun. */
export function operationOfRequest(
  db: Kysely<Database> | Transaction<Database>,
  accountId: string,
  requestKey: string,
): Promise<OperationRow | undefined> {
  return db
    .selectFrom('operations')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('request_key', '=', requestKey)
    .executeTakeFirst()
}

/** Returns the operations that run on these things, by the thing's id: of several, the newest. */
export async function runningOn(
  { db }: { db: Kysely<Database> },
  resourceIds: readonly string[],
): Promise<Map<string, OperationRow>> {
  if (resourceIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('operations')
    .selectAll()
    .where('resource_id', 'in', resourceIds)
    .where('state', '=', 'running')
    .orderBy('created_at')
    .execute()
  return new Map(rows.map((row) => [row.resource_id, row]))
}

/** Deletes what ended long ago. A repeated request of that age begins anew. */
export async function pruneOperations({ db }: { db: Kysely<Database> }): Promise<void> {
  await db
    .deleteFrom('operations')
    .where('ended_at', '<', Date.now() - limits.endedOperationMs)
    .execute()
}

function unknownKind(kind: string): CarrelError {
  return new CarrelError('unavailable', `Cannot go on with "${kind}": this version of the server does not know it`)
}
