import { join } from 'node:path'

/** Returns the folder of all versions on this host. Each is named after the hash of its content. */
export function versionsIn(dataDirectory: string): string {
  return join(dataDirectory, 'datasets')
}

/** Returns where the files of a version are on this host. */
export function directoryOf(dataDirectory: string, contentHash: string): string {
  return join(versionsIn(dataDirectory), contentHash)
}

/** Returns the archive of what an agent may see of a version. */
export function publicArchiveOf(dataDirectory: string, contentHash: string): string {
  return `${directoryOf(dataDirectory, contentHash)}.tar.gz`
}
