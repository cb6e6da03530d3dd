import type { Carrel } from '../../../sdk/index.ts'
import { computers } from '../verbs/computers.ts'

/** Returns what can follow a word of "computers": inner actions, snapshots, or the handles of computers. */
export async function computerWords(client: Carrel, previous: string): Promise<string[]> {
  if (previous === 'restore') return (await client.computers.snapshots.list()).map(({ id }) => id)
  const inner = computers.innerActions?.[previous] ?? []
  return [...inner, ...(await client.computers.list()).map(({ handle }) => handle)]
}
