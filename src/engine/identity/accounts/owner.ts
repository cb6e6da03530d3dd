import { chmod, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Kysely } from 'kysely'
import type { AccountRow, Database } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { newId } from '../../ids.ts'
import { authenticateToken, createToken } from './tokens.ts'

/**
 * Returns a token of the first account, from its file in the data directory (mode 0600). Creates account, token and
 * file where they are missing. Each data directory has a token of its own: one server does not end that of another.
 */
export async function ownerToken(db: Kysely<Database>, dataDirectory: string): Promise<string> {
  const file = join(dataDirectory, 'owner.token')
  const kept = (await readUnlessMissing(file)).trim()
  if (kept && (await isValid(db, kept))) return kept
  const token = await createToken(db, await ownerAccount(db), 'owner')
  await writeFile(`${file}.new`, `${token}\n`, { mode: 0o600 })
  await chmod(`${file}.new`, 0o600)
  await rename(`${file}.new`, file)
  return token
}

async function readUnlessMissing(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
}

/** Rejects when the database does not answer, which says nothing about the token. */
async function isValid(db: Kysely<Database>, token: string): Promise<boolean> {
  try {
    await authenticateToken(db, token)
    return true
  } catch (error) {
    if (error instanceof CarrelError && error.code === 'unauthenticated') return false
    throw error
  }
}

/** Returns the id of the first account. Creates it where there is none; of several servers, one does. */
export async function ownerAccount(db: Kysely<Database>): Promise<string> {
  const find = () => db.selectFrom('accounts').select('id').where('owner', '=', 1).executeTakeFirst()
  const existing = await find()
  if (existing) return existing.id
  await db
    .insertInto('accounts')
    .values({ ...newAccount('owner'), owner: 1 })
    .onConflict((conflict) => conflict.column('owner').doNothing())
    .execute()
  return (await find())!.id
}

/** Creates an account. `createdBy` is the user who creates a shared workspace; undefined for a user's own account. */
export async function createAccount(db: Kysely<Database>, name: string, createdBy?: string): Promise<string> {
  const account = newAccount(name, createdBy)
  await db.insertInto('accounts').values(account).execute()
  return account.id
}

function newAccount(name: string, createdBy?: string): AccountRow {
  return {
    id: newId(),
    name,
    created_at: Date.now(),
    created_by: createdBy ?? null,
    shared: createdBy === undefined ? 0 : 1,
    delete_at: null,
    owner: null,
  }
}
