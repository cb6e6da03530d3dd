import { CarrelError } from '../../errors.ts'

/** Takes a path apart where its last component begins. Throws `invalid_request` for a path that names no entry. */
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

/** Rejects what no path can be: relative, too long, with a NUL or half a character in it. */
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
 * Rejects what a running computer mounts over its disk: from outside there is nothing, and what was written there would
 * never be seen inside.
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

/** A path for a message: in quotes, control characters escaped, cut after 200 characters. */
export function quote(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path)
}

const maxPathBytes = 4096
