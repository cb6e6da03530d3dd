import { CarrelError } from '../../errors.ts'

/** Splits a path before its last component. Throws `invalid_request` for a path without a last component. */
export function splitPath(path: string): { directory: string; name: string } {
  const trimmed = path.replace(/\/+$/, '')
  const slash = trimmed.lastIndexOf('/')
  const name = trimmed.slice(slash + 1)
  if (name === '' || name === '.' || name === '..') {
    throw new CarrelError('invalid_request', `Cannot use path ${quote(path)}: it names a directory itself`, {
      details: { field: 'path' },
    })
  }
  return { directory: trimmed.slice(0, slash) || '/', name }
}

/** Throws `invalid_request` for an invalid path: relative, too long, with a NUL, or not well-formed Unicode. */
export function checkPath(path: string): void {
  const refuse = (why: string) => {
    throw new CarrelError('invalid_request', `Cannot use path ${quote(path)}: ${why}`, { details: { field: 'path' } })
  }
  if (!path.startsWith('/')) refuse('it is not absolute')
  if (path.includes('\0')) refuse('it has a NUL character')
  if (!path.isWellFormed()) refuse('it is not valid Unicode')
  if (Buffer.byteLength(path) >= maxPathBytes) refuse(`it is longer than ${maxPathBytes - 1} bytes`)
}

/**
 * Throws `not_found` for a path that a running computer mounts over its disk: outside of the computer nothing is there,
 * and programs inside would never see what was written there.
 */
export function checkOnDisk(path: string): void {
  if (!/^\/+((proc|sys|dev)(\/|$)|etc\/+(resolv\.conf|hosts|hostname)$)/.test(path)) return
  throw new CarrelError(
    'not_found',
    `Cannot use path ${quote(path)}: it is not on the disk; only programs in the computer see it`,
    {
      details: { field: 'path' },
    },
  )
}

/**
 * Throws `invalid_request` for a location outside of a directory. An entry that is to be made, replaced or removed
 * cannot be the directory itself.
 */
export function checkWithin(location: string, directory: string, { isEntry }: { isEntry: boolean }): void {
  if (location.startsWith(`${directory}/`) || (location === directory && !isEntry)) return
  throw new CarrelError('invalid_request', `Cannot use ${quote(location)}: it is not below ${quote(directory)}`, {
    details: { field: 'path' },
  })
}

/** Returns a path for a message: quoted, with control characters escaped, cut off after 200 characters. */
export function quote(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path)
}

const maxPathBytes = 4096
