import { existsSync } from 'node:fs'
import { mkdir, rename, rm, statfs, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CarrelError } from '../../../errors.ts'
import { run } from '../system/run.ts'
import { BtrfsStorage } from './btrfs.ts'
import { DirectoryStorage } from './directory.ts'
import type { Storage } from './storage.ts'

export interface Pool {
  /** Where volumes are made. */
  directory: string
  storage: Storage
  /** What this host lacks, in a sentence each. */
  losses: string[]
}

/**
 * Makes or reopens the pool under the data directory: the directory itself where it is on btrfs, else a btrfs file
 * system in a sparse file of 80 % of the free space, else plain directories. The choice is made once and kept.
 */
export async function openPool(dataDirectory: string): Promise<Pool> {
  const directory = join(dataDirectory, 'pool')
  await mkdir(directory, { recursive: true })
  if (existsSync(join(directory, plainMark))) return plain(directory)
  if ((await statfs(directory)).type === BTRFS_MAGIC) return btrfs(directory)
  const file = join(dataDirectory, 'pool.img')
  try {
    if (!existsSync(file)) await format(file, dataDirectory)
    await attach(file, directory)
  } catch (error) {
    if (existsSync(file) && (await statfs(directory)).type !== BTRFS_MAGIC) {
      const reason = error instanceof Error ? error.message : String(error)
      if (error instanceof FormatError) return plain(directory, reason)
      throw new CarrelError('unavailable', `Cannot mount the storage pool "${file}": ${reason}`)
    }
    return plain(directory, error instanceof Error ? error.message : String(error))
  }
  return btrfs(directory)
}

async function btrfs(directory: string): Promise<Pool> {
  const storage = await BtrfsStorage.open(directory)
  const losses = storage.quota
    ? []
    : ['This btrfs file system allows no quotas, so computers have no disk limit of their own.']
  return { directory, storage, losses }
}

async function plain(directory: string, reason?: string): Promise<Pool> {
  if (reason !== undefined) await writeFile(join(directory, plainMark), `${reason}\n`)
  const losses = ['No btrfs pool could be made here, so disk limits are not enforced and snapshots copy every file.']
  return { directory, storage: new DirectoryStorage(), losses }
}

class FormatError extends Error {}

async function format(file: string, dataDirectory: string): Promise<void> {
  const { bavail, bsize } = await statfs(dataDirectory)
  const temporary = `${file}.new`
  try {
    await rm(temporary, { force: true })
    await writeFile(temporary, '', { mode: 0o600 })
    await truncate(temporary, Math.floor(bavail * bsize * poolShare))
    await run('mkfs.btrfs', ['-q', '-m', 'single', '-L', 'carrel', temporary])
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw new FormatError(error instanceof Error ? error.message : String(error))
  }
}

async function attach(file: string, directory: string): Promise<void> {
  if ((await statfs(directory)).type === BTRFS_MAGIC) return
  const attached = await run('losetup', ['-j', file, '-n', '-O', 'NAME'])
  const device =
    attached.trim().split('\n')[0] || (await run('losetup', ['--find', '--show', '--direct-io=on', file])).trim()
  await run('mount', ['-t', 'btrfs', '-o', 'noatime', device, directory])
}

const BTRFS_MAGIC = 0x9123_683e
const poolShare = 0.8
const plainMark = '.plain-directories'
