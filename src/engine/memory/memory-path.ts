import { posix } from 'node:path'
import { limits } from '../../config/limits.ts'
import { CarrelError } from '../../errors.ts'

/**
 * Returns the one name of a memory file, such as `data/results.json`: without a slash at either end, empty parts, `.` or
 * `..`, so that `/a/x`, `a//x` and `a/x` are one file. Throws `invalid_request` for a path that names no file.
 */
export function memoryPath(path: string): string {
  const isUsable = path.length <= limits.memoryPathLength && path.isWellFormed() && !path.includes('\0')
  const name = isUsable ? posix.normalize(`/${path}`).replace(/^\/|\/$/g, '') : ''
  if (name !== '') return name
  throw new CarrelError(
    'invalid_request',
    `Cannot use memory path ${JSON.stringify(path.slice(0, 80))}: a path names a file, in 1 to ${limits.memoryPathLength} characters`,
    { details: { field: 'path' } },
  )
}

/** Returns what the names of all files begin with whose path begins with `prefix`. What follows its last slash is literal. */
export function memoryPrefix(prefix: string): string {
  const nameAt = prefix.lastIndexOf('/') + 1
  return posix.normalize(`/${prefix.slice(0, nameAt)}`).slice(1) + prefix.slice(nameAt)
}
