import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** What a data directory knows of itself: which node it is, and of which database's servers. */
export interface NodeFile {
  nodeId: string
  deploymentId: string
  /** The database that the directory's is being copied into. The one that a server uses next becomes the directory's. */
  copyId?: string
}

/** Returns what a data directory knows; undefined for a new one, and for that of an earlier version. */
export function readNodeFile(dataDirectory: string): NodeFile | undefined {
  try {
    const content = JSON.parse(readFileSync(nodeFile(dataDirectory), 'utf8')) as Partial<NodeFile>
    const { nodeId, deploymentId, copyId } = content
    return nodeId && deploymentId ? { nodeId, deploymentId, ...(copyId && { copyId }) } : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Returns whether a directory belongs to a database: also to the copy, where copying was cut off. */
export function namesDatabase(file: NodeFile | undefined, deploymentId: string): file is NodeFile {
  return file !== undefined && (file.deploymentId === deploymentId || file.copyId === deploymentId)
}

/** Writes the file, whole or not at all; it is on the disk when this returns. */
export function writeNodeFile(dataDirectory: string, content: NodeFile): void {
  const file = nodeFile(dataDirectory)
  const fd = openSync(`${file}.new`, 'w', 0o600)
  try {
    writeSync(fd, `${JSON.stringify(content)}\n`)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(`${file}.new`, file)
  sync(dataDirectory)
}

/** Writes a directory itself to the disk: otherwise a power cut could undo the renaming. */
function sync(directory: string): void {
  const fd = openSync(directory, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Returns the number that an earlier version wrote into the directory and the header of its database. */
export function readMark(dataDirectory: string): number | undefined {
  try {
    return Number(readFileSync(join(dataDirectory, 'database.mark'), 'latin1')) || undefined
  } catch {
    return undefined
  }
}

/**
 * Returns whether the directory holds computers. Output of processes does not count: a server removes none of it as
 * orphaned.
 */
export function holdsComputers(dataDirectory: string): boolean {
  return ['computers', 'pool/computers', 'pool/snapshots'].some((folder) => {
    try {
      return readdirSync(join(dataDirectory, folder)).length > 0
    } catch {
      return false
    }
  })
}

function nodeFile(dataDirectory: string): string {
  return join(dataDirectory, 'node.json')
}
