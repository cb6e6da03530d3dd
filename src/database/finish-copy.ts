import { hasOtherData } from '../db/copy-from-sqlite.ts'
import { inspectDatabase } from '../db/inspect.ts'
import { namesDatabase, readNodeFile, writeNodeFile } from '../start/node-file.ts'

/**
 * Returns whether the target has the rows of the data directory already. The directory belongs to the target then, also
 * where copying was cut off before that was written. Throws, with nothing changed, when the target has other data.
 */
export async function finishCopy(dataDirectory: string, target: string): Promise<boolean> {
  const found = await inspectDatabase(target)
  if (found === 'missing' || !found.hasAccounts) return false
  const file = readNodeFile(dataDirectory)
  const { deploymentId } = found
  if (deploymentId === undefined || !namesDatabase(file, deploymentId)) throw hasOtherData()
  writeNodeFile(dataDirectory, { nodeId: file.nodeId, deploymentId })
  return true
}
