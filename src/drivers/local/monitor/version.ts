import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'

/** The folders that make up the monitor's program, besides what Node and the packages bring. */
const directories = ['.', '../system'].map((path) => fileURLToPath(new URL(path, import.meta.url)))

/** Returns the version of the monitor: a hash of its program and of Node's version, 12 hex digits. */
export function monitorVersion(): string {
  const hash = createHash('sha256').update(process.version)
  for (const directory of directories) {
    const names = readdirSync(directory).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    for (const name of names.toSorted()) hash.update(name).update(readFileSync(join(directory, name)))
  }
  return hash.digest('hex').slice(0, 12)
}
