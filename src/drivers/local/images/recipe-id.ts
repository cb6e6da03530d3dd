import { createHash } from 'node:crypto'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { CarrelError } from '../../../errors.ts'
import type { Distribution } from './distribution.ts'
import { guestDf } from './guest-df.ts'
import type { Recipe } from './recipe.ts'

/** Must be increased when a change of the builder gives the same recipe another image. */
const builderFormat = 1

/**
 * Returns `<name>-<12 hex digits>`, which is the same for the same files, builder, architecture and distribution, and
 * the same recipe that this one is built on. Times and owners of the files do not count; the executable bit does. Throws `invalid_request` for a folder that is too
 * large.
 */
export async function recipeId(recipe: Recipe, distribution: Distribution): Promise<string> {
  const hash = createHash('sha256')
  hash.update(JSON.stringify([builderFormat, distribution.architecture, distribution.id, distribution.codename]))
  hash.update(await guestDf())
  if (recipe.from) hash.update(await recipeId(recipe.from, distribution))
  let bytes = 0
  const paths = await filesBelow(recipe.directory)
  for (const path of paths) {
    const stats = await lstat(path)
    bytes += stats.size
    if (paths.length > maxFiles || bytes > maxBytes) throw tooMuch(recipe)
    const content = stats.isSymbolicLink() ? Buffer.from(await readlink(path)) : await readFile(path)
    const type = stats.isSymbolicLink() ? 'link' : stats.mode & 0o111 ? 'program' : 'file'
    hash.update(JSON.stringify([relative(recipe.directory, path), type, content.length])).update(content)
  }
  return `${recipe.name}-${hash.digest('hex').slice(0, 12)}`
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
}

function tooMuch(recipe: Recipe): CarrelError {
  return new CarrelError(
    'invalid_request',
    `Cannot read recipe "${recipe.name}": its folder holds more than ${maxFiles} files or 256 MiB`,
    { details: { field: 'directory' } },
  )
}

/** A recipe has few files. The limit stops the reading of a wrong path, such as `/`. */
const maxFiles = 1_000
const maxBytes = 256 * 1024 * 1024
