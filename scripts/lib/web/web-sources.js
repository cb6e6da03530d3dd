import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** What the pages are built from: their sources, the packages, and the palette that they share with the server's pages. */
const places = [
  'web/index.html',
  'web/vite.config.ts',
  'web/src',
  'src/http/pages/assets/tokens.css',
  'package-lock.json',
]

/**
 * Returns a hash of everything that the pages are built from.
 * @param {string} root of the project
 */
export function hashWebSources(root) {
  const hash = createHash('sha256')
  for (const file of places.flatMap((place) => filesIn(root, place))) {
    const bytes = readFileSync(join(root, file))
    hash.update(`${file}\0${bytes.length}\0`).update(bytes)
  }
  return hash.digest('hex')
}

/**
 * Returns a file, or the files below a folder that are no tests, in an order that is always the same.
 * @param {string} root
 * @param {string} place
 */
function filesIn(root, place) {
  const path = join(root, place)
  if (!statSync(path).isDirectory()) return [place]
  const names = /** @type {string[]} */ (readdirSync(path, { recursive: true }))
  names.sort()
  const files = names.filter((name) => !name.endsWith('.test.ts') && statSync(join(path, name)).isFile())
  return files.map((name) => join(place, name))
}
