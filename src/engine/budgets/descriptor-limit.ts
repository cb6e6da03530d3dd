import { readFileSync } from 'node:fs'

/** Returns how many file descriptors this program may have open. Node has raised the soft limit as far as it can. */
export function descriptorLimit(): number {
  const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? []
  return soft === undefined ? assumedLimit : Number(soft)
}

/** Where the limit is unlimited or unknown. */
const assumedLimit = 1_048_576
