import { randomBytes } from 'node:crypto'

/** Returns a name, which nothing has, for a file or directory on its way. */
export function temporaryName(): string {
  return `.carrel-${randomBytes(8).toString('hex')}`
}

/** Returns whether a name is a temporary one. */
export function isTemporaryName(name: string): boolean {
  return /^\.carrel-[0-9a-f]{16}$/.test(name)
}
