import { chmod, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import { newId } from '../../ids.ts'
import { authenticateToken, createToken } from './tokens.ts'

/** The first account's token, from its file in the data directory (mode 0600). Both are made when they are missing. */
export async function ownerToken(db: Kysely<Database>, dataDirectory: string): Promise<string> {
  const file = join(dataDirectory, 'owner.token')
  const kept = (await readFile(file, 'utf8').catch(() => '')).trim()
  if (kept && (await authenticateToken(db, kept).catch(() => undefined))) return kept
  const token = await createToken(db, await ownerAccount(db), 'owner')
  await writeFile(`${file}.new`, `${token}\n`, { mode: 0o600 })
  await chmod(`${file}.new`, 0o600)
  await rename(`${file}.new`, file)
  return token
}

/** The first account, made when there is none. */
export async function ownerAccount(db: Kysely<Database>): Promise<string> {
  const existing = await db.selectFrom('accounts').select('id').orderBy('created_at').orderBy('id').executeTakeFirst()
  return existing?.id ?? createAccount(db, 'owner')
}

/** `createdBy` is the person who makes it for several people; null for somebody's own. */
export async function createAccount(
  db: Kysely<Database>,
  name: string,
  createdBy: string | null = null,
): Promise<string> {
  const id = newId()
  await db
    .insertInto('accounts')
    .values({ id, name, created_at: Date.now(), created_by: createdBy, delete_at: null })
    .execute()
  return id
}
