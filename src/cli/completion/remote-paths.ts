import { posix } from 'node:path'
import type { Carrel } from '../../../sdk/index.ts'

/** More than anybody looks through. */
const maxEntries = 2000

/**
 * Returns the paths in a sandbox that begin with what is typed, folders with a slash at the end. A typed `name:` in front,
 * as of "cp", names another sandbox and stays. Starts no sandbox.
 */
export async function remotePaths(client: Carrel, typed: string, sandbox: string): Promise<string[]> {
  const [head = '', name = ''] = /^([\w.@-]*):/.exec(typed) ?? []
  const path = typed.slice(head.length)
  const sessionId = name === '' ? sandbox : name
  if ((await client.sandboxes.find(sessionId))?.state !== 'running') return []
  const folder = path.slice(0, path.lastIndexOf('/') + 1)
  const begin = path.slice(folder.length)
  const entries = await client.files.list(posix.resolve('/workspace', folder), { sessionId, limit: maxEntries })
  return entries
    .filter((entry) => entry.name.startsWith(begin) && (begin !== '' || !entry.name.startsWith('.')))
    .map((entry) => `${head}${folder}${entry.name}${entry.type === 'directory' ? '/' : ''}`)
}
