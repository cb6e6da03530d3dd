import type { Kysely } from 'kysely'
import { SettingError } from '../config/settings.ts'
import type { Database } from '../db/schema.ts'
import { newId } from '../engine/ids.ts'
import { holdsComputers, namesDatabase, readNodeFile, writeNodeFile } from './node-file.ts'

/**
 * Returns the id of the node that a data directory is, in a database that belongs to it. A directory without one gets
 * one: that which the migration made for the rows of an earlier version, or a new node, which joins the others. The
 * directory has the id before the database does: what a crash leaves in between is a node without computers. After a copy
 * that was cut off, the directory belongs to this database alone.
 *
 * Throws a `SettingError` when the directory holds computers of a node that the database does not have: their rows are
 * gone, so that the server would remove them.
 */
export async function findNode(db: Kysely<Database>, dataDirectory: string): Promise<string> {
  const { id: deploymentId } = await db.selectFrom('deployment').select('id').executeTakeFirstOrThrow()
  const file = readNodeFile(dataDirectory)
  // A database of an earlier version, restored from a backup, got another id when it was opened.
  const known = namesDatabase(file, deploymentId) ? file.nodeId : undefined
  const nodeId = known ?? (await unclaimedNode(db)) ?? newId()
  const exists = await db.selectFrom('nodes').select('id').where('id', '=', nodeId).executeTakeFirst()
  if (!exists && holdsComputers(dataDirectory))
    throw new SettingError(
      `Cannot start: "${dataDirectory}" holds computers, but the database knows nothing of its node (${nodeId}): it was removed, or the database is older than the node; restore the right database, or remove the computers with "npm run down -- --delete-data"`,
    )
  if (known === undefined || file?.copyId !== undefined) writeNodeFile(dataDirectory, { nodeId, deploymentId })
  return nodeId
}

/** Returns the node that was made for the rows of a database which had one server before there were nodes. */
async function unclaimedNode(db: Kysely<Database>): Promise<string | undefined> {
  return (await db.selectFrom('nodes').select('id').where('epoch', '=', 0).executeTakeFirst())?.id
}
