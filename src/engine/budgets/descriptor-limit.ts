import { readFileSync } from 'node:fs'

/** How many file descriptors this program may have. Node has raised that to all that it may raise it to. */
export function descriptorLimit(): number {
  const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? []
  return soft === undefined ? minUsual : Number(soft)
}

/** Where it is unlimited, or not told. */
const minUsual = 1_048_576
