import type { Carrel } from '../../sdk/index.ts'
import { UsageError } from './usage-error.ts'

/** Returns the id of an API key, which is given by its id or its unique name. Anything else is left to the server. */
export async function keyIdOf(client: Carrel, wanted: string): Promise<string> {
  const all = await client.keys.list()
  if (all.some(({ key_id }) => key_id === wanted)) return wanted
  const named = all.filter(({ name }) => name === wanted)
  if (named.length > 1)
    throw new UsageError(`Cannot use "${wanted}" as a key: ${named.length} keys have this name; use the id`)
  return named[0]?.key_id ?? wanted
}
