import { readFileSync } from 'node:fs'

/** Returns the version of the nearest `package.json` above this file, in sources and in compiled files. */
export function packageVersion(): string {
  for (let folder = new URL('.', import.meta.url), inner = ''; folder.href !== inner;) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as Record<
        string,
        string
      >
      if (name && version) return version
    } catch {
      // The file is further up.
    }
    inner = folder.href
    folder = new URL('..', folder)
  }
  return 'unknown'
}
