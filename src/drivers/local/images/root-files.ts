import { chmod, lstat, mkdir, readdir, rm, unlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * Writes a file in a root file system that nothing runs in. Its directories are made where they are missing, and
 * neither they nor the file are links afterwards: what an image brings must not lead a write of the host elsewhere.
 */
export async function writeRootFile(root: string, path: string, content: string, mode = 0o644): Promise<void> {
  await realDirectory(root, dirname(path))
  const file = join(root, path)
  await rm(file, { recursive: true, force: true })
  await writeFile(file, content, { flag: 'wx' })
  await chmod(file, mode)
}

/** Makes it an empty directory, whatever it was. */
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
