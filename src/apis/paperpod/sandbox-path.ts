import { posix } from 'node:path'
import { CarrelError } from '../../errors.ts'

/**
 * Returns a path as its answers and events name it: absolute, with relative paths under /workspace, and without empty
 * parts, `.`, `..` or a slash at its end. `..` removes the part before it by its name, also where that is a link.
 */
export function sandboxPath(path: string): string {
  return posix.normalize(path.startsWith('/') ? path : `/workspace/${path}`).replace(/(?<=.)\/$/, '')
}

/** Returns the path of a file that is written. Throws `invalid_request` for a path that can only be a directory. */
export function filePath(path: string): string {
  if (namesDirectory(path))
    throw refusal(path, 'it names a directory, and the name of the file is missing: add it after the slash')
  return sandboxPath(path)
}

/**
 * Returns the path of an upload. A path that ends with a slash names the directory that the file goes into, under its
 * own name: the last part of the name that its client sent. Throws `invalid_request` if that is not a file name.
 */
export function uploadPath(path: string, originalName: string | undefined): string {
  if (!namesDirectory(path)) return sandboxPath(path)
  const name = originalName?.split(/[/\\]/).at(-1) ?? ''
  if (/^\.{0,2}$/.test(name) || name.includes('\0'))
    throw refusal(path, 'it names a directory, and the file was sent without a name: add the name after the slash')
  return sandboxPath(`${path}/${name}`)
}

function namesDirectory(path: string): boolean {
  return /(^|\/)\.{0,2}$/.test(path)
}

function refusal(path: string, why: string): CarrelError {
  const shown = JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path)
  return new CarrelError('invalid_request', `Cannot use path ${shown}: ${why}`, { details: { field: 'path' } })
}
