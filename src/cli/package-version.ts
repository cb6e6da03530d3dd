import { readFileSync } from 'node:fs'

/** The version in the nearest `package.json` above, from sources as from compiled files. */
export function packageVersion(): string {
  for (let folder = new URL('.', import.meta.url); ; folder = new URL('..', folder)) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as Record<
        string,
        string
      >
      if (name && version) return version
    } catch {
      // It is further up.
    }
    if (folder.pathname === '/') return 'unknown'
  }
}
