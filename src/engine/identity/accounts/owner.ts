import { chmod, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Kysely } from 'kysely'
import type { AccountRow, Database } from '../../../db/schema.ts'
import { transaction } from '../../../db/transaction.ts'
import { CarrelError } from '../../../errors.ts'
import { newId } from '../../ids.ts'
import { ownerTokenName, revokeOwnerTokens } from '../../nodes/owner-tokens.ts'
import { authenticateToken, createToken } from './tokens.ts'

/**
 * Returns a token of the first account, from its file in the data directory (mode 0600). Creates account, token and
 * file where they are missing. Each data directory has a token of its own, which is named after its node: one server
 * does not end that of another, and the removal of a node ends its own.
 */
export async function ownerToken(db: Kysely<Database>, dataDirectory: string, nodeId: string): Promise<string> {
  const file = join(dataDirectory, 'owner.token')
  const kept = (await readUnlessMissing(file)).trim()
  const keptId = kept ? await validId(db, kept) : undefined
  const name = ownerTokenName(nodeId)
  if (keptId !== undefined) {
    await db.updateTable('tokens').set({ name }).where('id', '=', keptId).where('name', '!=', name).execute()
    return kept
  }
  const accountId = await ownerAccount(db)
  const token = await transaction(db, 'durable', async (trx) => {
    // The operator removes the file of a token that others may know.
    await revokeOwnerTokens(trx, nodeId)
    return createToken(trx, accountId, name)
  })
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

/** Returns the id of a token; undefined when it is not valid. Rejects when the database does not answer. */
async function validId(db: Kysely<Database>, token: string): Promise<string | undefined> {
  try {
    return (await authenticateToken(db, token)).tokenId
  } catch (error) {
    if (error instanceof CarrelError && error.code === 'unauthenticated') return undefined
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
