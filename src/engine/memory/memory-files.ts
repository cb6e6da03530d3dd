import { transaction } from '../../db/transaction.ts'
import { limits } from '../../config/limits.ts'
import { CarrelError } from '../../errors.ts'
import type { Context } from '../context.ts'
import { memoryPath, memoryPrefix } from './memory-path.ts'

export interface MemoryFile {
  /** Its one name: `memoryPath`. */
  path: string
  size: number
  modifiedAtMs: number
}

export interface MemoryUsage {
  usedBytes: number
  quotaBytes: number
  fileCount: number
}

/**
 * Writes a file of the account's memory, which outlives every computer. The file is on the disk when this resolves; the
 * quota is checked in the same transaction. Throws `disk_full`, with the number of bytes over the quota, and
 * `limit_reached` when the account has too many files.
 */
export async function writeMemory(
  engine: Pick<Context, 'db'>,
  accountId: string,
  givenPath: string,
  content: Uint8Array,
): Promise<MemoryFile> {
  const path = memoryPath(givenPath)
  const modifiedAtMs = Date.now()
  await transaction(engine.db, { kind: 'durable', queue: accountId }, async (trx) => {
    const { used, count } = await trx
      .selectFrom('memory_files')
      .select((eb) => [
        eb.fn.coalesce(eb.fn.sum<number>('size'), eb.lit(0)).as('used'),
        eb.fn.countAll<number>().as('count'),
      ])
      .where('account_id', '=', accountId)
      .where('path', '!=', path)
      .executeTakeFirstOrThrow()
    const overBytes = Number(used) + content.length - limits.memoryQuotaBytes
    if (overBytes > 0) {
      throw new CarrelError(
        'disk_full',
        `Cannot write memory file ${JSON.stringify(path)}: it would be ${overBytes} bytes over the quota of ${limits.memoryQuotaBytes}`,
        {
          details: { overBytes, quotaBytes: limits.memoryQuotaBytes },
        },
      )
    }
    if (Number(count) >= limits.memoryFiles) {
      throw new CarrelError(
        'limit_reached',
        `Cannot write memory file ${JSON.stringify(path)}: the account has ${limits.memoryFiles} files, which is its limit`,
        { details: { limit: limits.memoryFiles } },
      )
    }
    const row = { account_id: accountId, path, content, size: content.length, modified_at: modifiedAtMs }
    await trx
      .insertInto('memory_files')
      .values(row)
      .onConflict((conflict) =>
        conflict
          .columns(['account_id', 'path'])
          .doUpdateSet({ content, size: content.length, modified_at: modifiedAtMs }),
      )
      .execute()
  })
  return { path, size: content.length, modifiedAtMs }
}

/** Returns the content of a file. Throws `not_found` when there is none. */
export async function readMemory(
  engine: Pick<Context, 'db'>,
  accountId: string,
  givenPath: string,
): Promise<Uint8Array> {
  const path = memoryPath(givenPath)
  const row = await engine.db
    .selectFrom('memory_files')
    .select('content')
    .where('account_id', '=', accountId)
    .where('path', '=', path)
    .executeTakeFirst()
  if (!row) throw missing(path)
  return row.content
}

/** Returns the size of a file in bytes. Throws `not_found` when there is none. */
export async function memoryFileSize(
  engine: Pick<Context, 'db'>,
  accountId: string,
  givenPath: string,
): Promise<number> {
  const path = memoryPath(givenPath)
  const row = await engine.db
    .selectFrom('memory_files')
    .select('size')
    .where('account_id', '=', accountId)
    .where('path', '=', path)
    .executeTakeFirst()
  if (!row) throw missing(path)
  return row.size
}

/** Returns the files whose path begins with the prefix, ordered by path. */
export async function listMemory(
  engine: Pick<Context, 'db'>,
  accountId: string,
  prefix: string,
): Promise<MemoryFile[]> {
  const start = memoryPrefix(prefix)
  const rows = await engine.db
    .selectFrom('memory_files')
    .select(['path', 'size', 'modified_at'])
    .where('account_id', '=', accountId)
    .orderBy('path')
    .execute()
  return rows
    .filter(({ path }) => path.startsWith(start))
    .map(({ path, size, modified_at }) => ({ path, size, modifiedAtMs: modified_at }))
}

/** Deletes a file; the deletion is on the disk when this resolves to its path. Throws `not_found` when there is none. */
export async function deleteMemory(engine: Pick<Context, 'db'>, accountId: string, givenPath: string): Promise<string> {
  const path = memoryPath(givenPath)
  const { numDeletedRows } = await transaction(engine.db, { kind: 'durable', queue: accountId }, (trx) =>
    trx.deleteFrom('memory_files').where('account_id', '=', accountId).where('path', '=', path).executeTakeFirst(),
  )
  if (numDeletedRows === 0n) throw missing(path)
  return path
}

/** Returns how much of its quota an account uses. */
export async function memoryUsage(engine: Pick<Context, 'db'>, accountId: string): Promise<MemoryUsage> {
  const row = await engine.db
    .selectFrom('memory_files')
    .select((eb) => [
      eb.fn.coalesce(eb.fn.sum<number>('size'), eb.lit(0)).as('used'),
      eb.fn.countAll<number>().as('count'),
    ])
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow()
  return { usedBytes: Number(row.used), quotaBytes: limits.memoryQuotaBytes, fileCount: Number(row.count) }
}

function missing(path: string): CarrelError {
  return new CarrelError('not_found', `Cannot find memory file ${JSON.stringify(path)}: there is no such file`, {
    details: { field: 'path' },
  })
}
