import { CarrelError } from '../../errors.ts'
import type { OperationRow } from '../../db/schema.ts'
import { newId } from '../ids.ts'
import type { Context } from '../context.ts'

/** Starts a long action in the background, with a row that says its state. Returns the id of the row at once. */
export async function startOperation(
  engine: Pick<Context, 'db' | 'node'>,
  accountId: string,
  kind: string,
  work: (progress: (fraction: number) => void) => Promise<unknown>,
): Promise<string> {
  const id = newId()
  const now = Date.now()
  await engine.db
    .insertInto('operations')
    .values({
      id,
      account_id: accountId,
      node_id: engine.node.id,
      kind,
      state: 'running',
      progress: 0,
      result: null,
      error: null,
      created_at: now,
      updated_at: now,
    })
    .execute()
  void run(engine, id, work)
  return id
}

/** Returns an operation of the account. Throws `not_found` when the account has none of that id. */
export async function getOperation(engine: Pick<Context, 'db'>, accountId: string, id: string): Promise<OperationRow> {
  const row = await engine.db
    .selectFrom('operations')
    .selectAll()
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .executeTakeFirst()
  if (!row)
    throw new CarrelError(
      'not_found',
      `Cannot find operation ${JSON.stringify(id.slice(0, 64))}: the account has none of that id`,
    )
  return row
}

/**
 * Marks this node's operations that were running when its server ended as failed, with the reason: nothing continues
 * them.
 */
export async function failInterrupted(engine: Pick<Context, 'db' | 'node'>): Promise<void> {
  const error = JSON.stringify({
    code: 'unavailable',
    message: 'The server was restarted before the operation was done',
  })
  await engine.db
    .updateTable('operations')
    .set({ state: 'failed', error, updated_at: Date.now() })
    .where('node_id', '=', engine.node.id)
    .where('state', '=', 'running')
    .execute()
}

async function run(
  engine: Pick<Context, 'db'>,
  id: string,
  work: (progress: (fraction: number) => void) => Promise<unknown>,
): Promise<void> {
  const update = (set: Partial<OperationRow>) =>
    engine.db
      .updateTable('operations')
      .set({ ...set, updated_at: Date.now() })
      .where('id', '=', id)
      // Progress that is reported late must not change an operation that has ended.
      .where('state', '=', 'running')
      .execute()
  try {
    const result = await work((progress) => void update({ progress }))
    await update({ state: 'succeeded', progress: 1, result: JSON.stringify(result ?? null) })
  } catch (error) {
    const { code, message } = error instanceof CarrelError ? error : { code: 'internal', message: String(error) }
    await update({ state: 'failed', error: JSON.stringify({ code, message }) })
  }
}
