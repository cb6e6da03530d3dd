import type { Carrel } from '../../sdk/index.ts'
import { UsageError } from './usage-error.ts'

/** The id of an API key by its id or its name, which does where one key has it; what is neither is left to the server. */
export async function keyIdOf(client: Carrel, wanted: string): Promise<string> {
  const all = await client.keys.list()
  if (all.some(({ key_id }) => key_id === wanted)) return wanted
  const named = all.filter(({ name }) => name === wanted)
  if (named.length > 1)
    throw new UsageError(`Cannot use "${wanted}" as a key: ${named.length} keys are called so; name it by its id`)
  return named[0]?.key_id ?? wanted
}
