import { closeSync, constants } from 'node:fs'
import { lchown, mkdir, open } from 'node:fs/promises'
import type { Owner } from './write.ts'
import { splitPath } from '../../files/computer-path.ts'
import { O_PATH, type RootedDirectory } from './rooted.ts'

interface Options {
  owner: Owner
  /** Of the last directory of the path, if it is new; 0755 by default. */
  mode?: number
}

/** Opens a directory, and creates missing directories of its path. The caller closes the descriptor. */
export async function makeDirectories(
  root: RootedDirectory,
  path: string,
  { owner, mode = defaultMode }: Options,
): Promise<number> {
  try {
    return root.open(path, O_PATH | constants.O_DIRECTORY)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const { directory, name } = splitPath(path)
  const parent = await makeDirectories(root, directory, { owner })
  try {
    await makeEntry(root.entry(parent, name), { owner, mode })
  } catch (error) {
    // A directory that was created meanwhile is fine. A dangling link is not: opening it fails below.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    closeSync(parent)
  }
  return root.open(path, O_PATH | constants.O_DIRECTORY)
}

/** Creates a directory in one that exists. Throws an error with the code `EEXIST` when something has its name. */
export function makeNewDirectory(
  root: RootedDirectory,
  path: string,
  { owner, mode = defaultMode }: Options,
): Promise<void> {
  const { directory, name } = splitPath(path)
  return root.inDirectory(directory, (parent) => makeEntry(root.entry(parent, name), { owner, mode }))
}

async function makeEntry(host: string, { owner, mode }: Required<Options>): Promise<void> {
  await mkdir(host, defaultMode)
  await lchown(host, owner.uid, owner.gid)
  if (mode === defaultMode) return
  // The server's own mask does not apply. What has taken the name meanwhile is not followed.
  const made = await open(host, constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    await made.chmod(mode)
  } finally {
    await made.close()
  }
}

const defaultMode = 0o755
