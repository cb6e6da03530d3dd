import { chmod, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import { newId } from '../../ids.ts'
import { authenticateToken, createToken } from './tokens.ts'

/**
 * Returns the first account's token, from its file in the data directory (mode 0600). Creates account, token and file
 * where they are missing.
 */
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

/** Returns the id of the first account. Creates it where there is none. */
export async function ownerAccount(db: Kysely<Database>): Promise<string> {
  const existing = await db.selectFrom('accounts').select('id').orderBy('created_at').orderBy('id').executeTakeFirst()
  return existing?.id ?? createAccount(db, 'owner')
}

/** Creates an account. `createdBy` is the user who creates a shared workspace; undefined for a user's own account. */
export async function createAccount(db: Kysely<Database>, name: string, createdBy?: string): Promise<string> {
  const id = newId()
  await db
    .insertInto('accounts')
    .values({
      id,
      name,
      created_at: Date.now(),
      created_by: createdBy ?? null,
      shared: createdBy === undefined ? 0 : 1,
      delete_at: null,
    })
    .execute()
  return id
}
