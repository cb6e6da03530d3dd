/**
 * What may be done with a computer, the least first; each right includes those before it. `look` is for its state,
 * processes, their output and open ports; `files` for reading and writing files; `run` for programs, their input and
 * ends, and for exposing ports; `manage` for deleting it.
 */
export const rights = ['look', 'files', 'run', 'manage'] as const
export type Right = (typeof rights)[number]

/** The rights that each right includes, for the compiler. */
export interface Included {
  look: 'look'
  files: 'look' | 'files'
  run: 'look' | 'files' | 'run'
  manage: Right
}

/** Returns whether a right includes another, or is that one. */
export function includes(held: Right, wanted: Right): boolean {
  return rights.indexOf(held) >= rights.indexOf(wanted)
}
