import { join } from 'node:path'
import { copyFromSqlite, type CopiedTable } from '../db/copy-from-sqlite.ts'
import { openDatabase } from '../db/open.ts'
import { newId } from '../engine/ids.ts'
import { assertOwnDatabase } from '../start/assert-own-database.ts'
import { findNode } from '../start/find-node.ts'
import { writeNodeFile } from '../start/node-file.ts'

/**
 * Copies the SQLite database of a data directory into an empty one, to which the directory belongs from then on. Throws
 * when the file does not belong to the directory.
 *
 * The directory names both databases while the copy is made: wherever a crash cuts it off, a server can start with the
 * file, and with the copy if there is one. The first that does so decides.
 */
export async function copyDirectory(dataDirectory: string, target: string): Promise<CopiedTable[]> {
  await assertOwnDatabase({ dataDirectory, databaseUrl: undefined }, 'copy the database')
  await using open = new AsyncDisposableStack()
  const to = open.adopt(await openDatabase(target), (db) => db.destroy())
  const from = open.adopt(await openDatabase(join(dataDirectory, 'carrel.db')), (db) => db.destroy())
  const nodeId = await findNode(from, dataDirectory)
  const { id: deploymentId } = await from.selectFrom('deployment').select('id').executeTakeFirstOrThrow()
  const copyId = newId()
  writeNodeFile(dataDirectory, { nodeId, deploymentId, copyId })
  const tables = await copyFromSqlite(from, to, copyId)
  // From here on the file is an old copy: a server that used it would delete what is created now.
  writeNodeFile(dataDirectory, { nodeId, deploymentId: copyId })
  return tables
}
