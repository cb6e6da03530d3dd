import { chmod, lstat, mkdir, readdir, rm, unlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * Writes a file in a root file system in which nothing runs. Creates missing directories, and replaces links by
 * directories and by the file, since links of an image must not lead a write of the host elsewhere.
 */
export async function writeRootFile(root: string, path: string, content: string, mode = 0o644): Promise<void> {
  await realDirectory(root, dirname(path))
  const file = join(root, path)
  await rm(file, { recursive: true, force: true })
  await writeFile(file, content, { flag: 'wx' })
  await chmod(file, mode)
}

/** Creates an empty directory, in place of whatever was there. */
export async function emptyRootDirectory(root: string, path: string, mode = 0o755): Promise<void> {
  const directory = await realDirectory(root, path)
  for (const name of await readdir(directory, { encoding: 'buffer' })) {
    await rm(Buffer.concat([Buffer.from(`${directory}/`), name]), { recursive: true, force: true })
  }
  await chmod(directory, mode)
}

async function realDirectory(root: string, path: string): Promise<string> {
  let directory = root
  for (const name of path.split('/').filter((part) => part !== '' && part !== '.')) {
    directory = join(directory, name)
    const stats = await lstat(directory).catch(() => undefined)
    if (stats?.isDirectory()) continue
    if (stats) await unlink(directory)
    await mkdir(directory, { mode: 0o755 })
  }
  return directory
}
