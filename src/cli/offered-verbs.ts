import { hasOwnPrograms } from './run-own-program.ts'
import { verbs } from './verbs.ts'

type Entry = (typeof verbs)[string]

/** Returns the commands that can run here: the client package has none that work on the data of a server. */
export function offeredVerbs(): [name: string, entry: Entry][] {
  const all = Object.entries(verbs)
  return hasOwnPrograms() ? all : all.filter(([, { group }]) => group !== 'Server')
}
