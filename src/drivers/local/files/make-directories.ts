import { closeSync, constants } from 'node:fs'
import { lchown, mkdir } from 'node:fs/promises'
import type { Owner } from './write.ts'
import { splitPath } from '../../files/computer-path.ts'
import { O_PATH, type RootedDirectory } from './rooted.ts'

/** Opens a directory, and creates missing directories of its path. The caller closes the descriptor. */
export async function makeDirectories(root: RootedDirectory, path: string, owner: Owner): Promise<number> {
  try {
    return root.open(path, O_PATH | constants.O_DIRECTORY)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const { directory, name } = splitPath(path)
  const parent = await makeDirectories(root, directory, owner)
  try {
    const host = root.entry(parent, name)
    await mkdir(host, 0o755)
    await lchown(host, owner.uid, owner.gid)
  } catch (error) {
    // A directory that was created meanwhile is fine. A dangling link is not: opening it fails below.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    closeSync(parent)
  }
  return root.open(path, O_PATH | constants.O_DIRECTORY)
}
