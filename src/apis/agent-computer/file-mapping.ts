import { posix } from 'node:path'
import type { Static } from 'typebox'
import type { ComputerFiles, FileInfo } from '../../engine/types.ts'
import { CarrelError } from '../../errors.ts'
import type { fileAnswer } from './file-schemas.ts'

type Answer = Static<typeof fileAnswer>
type Entry = NonNullable<Answer['entries']>[number]

/** The directory of a computer that files/ops works in: images have it, owned by the computer's user. */
export const workspace = '/home/node/workspace'

/**
 * Returns a path without empty parts, `.`, `..` and a slash at its end. Throws `invalid_request` for one that is not
 * absolute, or does not lie in the workspace; an empty one, and a dot, are the workspace itself.
 */
export function workspacePath(path: string, field = 'path'): string {
  if (path === '' || path === '.') return workspace
  const refuse = (why: string) => {
    throw new CarrelError('invalid_request', `Cannot use ${quote(path)}: ${why}`, { details: { field } })
  }
  if (!path.startsWith('/')) refuse(`it is not absolute; did you mean ${quote(posix.join(workspace, path))}?`)
  const normal = posix.normalize(path).replace(/(?<=.)\/$/, '')
  if (normal !== workspace && !normal.startsWith(`${workspace}/`)) refuse(`it is not below ${workspace}`)
  return normal
}

/** Returns the path of a file that is written. Throws `invalid_request` for a path that can only be a directory. */
export function workspaceFile(path: string): string {
  const normal = workspacePath(path)
  if (normal === workspace || /(^|\/)\.{0,2}$/.test(path))
    throw new CarrelError('invalid_request', `Cannot write ${quote(path)}: it names a directory`, {
      details: { field: 'path' },
    })
  return normal
}

/** Returns the path of something in the workspace that is moved or removed. Throws `invalid_request` for itself. */
export function workspaceEntry(path: string, field = 'path'): string {
  const normal = workspacePath(path, field)
  if (normal === workspace)
    throw new CarrelError('invalid_request', `Cannot use ${quote(path)}: the workspace itself stays where it is`, {
      details: { field },
    })
  return normal
}

/** Returns a path relative to the workspace, which is itself a dot. */
export function relativePath(path: string): string {
  return path === workspace ? '.' : path.slice(workspace.length + 1)
}

export function statOf(info: FileInfo): NonNullable<Answer['stat']> {
  return { path: relativePath(info.path), ...factsOf(info) }
}

/** Returns entries as answers have them: a link is what it leads to. */
export async function entriesOf(files: ComputerFiles, infos: FileInfo[]): Promise<Entry[]> {
  const entries: Entry[] = []
  for (let at = 0; at < infos.length; at += linksAtOnce)
    entries.push(...(await Promise.all(infos.slice(at, at + linksAtOnce).map((info) => entryOf(files, info)))))
  return entries
}

async function entryOf(files: ComputerFiles, info: FileInfo): Promise<Entry> {
  const { path, name, nameBytes, target } = info
  const named = {
    path: relativePath(path),
    name,
    ...(target === undefined ? {} : { target }),
    ...(nameBytes === undefined ? {} : { name_base64: nameBytes.toString('base64') }),
  }
  if (info.type !== 'symlink') return { ...named, ...factsOf(info) }
  // A link that leads nowhere, or out of the workspace, is shown itself.
  const reached = await files.stat(path).catch(() => info)
  return { ...named, ...factsOf(reached) }
}

function factsOf({ type, sizeBytes, mode }: FileInfo): Pick<Entry, 'type' | 'size_bytes' | 'mode'> {
  return type === 'directory' ? { type, mode } : { type: 'file', size_bytes: sizeBytes, mode }
}

function quote(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path)
}

/** As few as leave descriptors for others. */
const linksAtOnce = 16
