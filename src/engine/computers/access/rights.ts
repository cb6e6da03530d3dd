/**
 * What a caller may do with a computer, from least to most; each right includes those before it. `look` is for its
 * state, its processes, their output and its open ports; `files` for reading and writing files; `run` for starting
 * programs, writing to them and ending them, and for exposing ports; `manage` for deleting the computer.
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
