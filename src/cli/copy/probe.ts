import type { Carrel } from '../../../sdk/index.ts'

/** A file or folder of a sandbox. */
export interface RemoteEntry {
  isFolder: boolean
  /** Permission bits. */
  mode: number
  size: number
}

/** Returns what is at a path of a sandbox; undefined if nothing is. Links are followed. */
export async function probe(client: Carrel, path: string, sessionId: string | undefined) {
  const { result } = await client.execute('stat -Lc "%f %s" -- "$CARREL_CP_PATH" 2>/dev/null || true', {
    env: { CARREL_CP_PATH: path },
    sessionId,
  })
  const [, bits, size] = /^([0-9a-f]+) (\d+)\n$/.exec(result.stdout) ?? []
  if (bits === undefined) return undefined
  const mode = Number.parseInt(bits, 16)
  return { isFolder: (mode & 0o170000) === 0o040000, mode: mode & 0o7777, size: Number(size) } satisfies RemoteEntry
}
