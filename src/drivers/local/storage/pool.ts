import { existsSync } from 'node:fs'
import { mkdir, rename, rm, statfs, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { CarrelError } from '../../../errors.ts'
import { isMounted, unmount } from '../host/mounts.ts'
import { call, callAsync, MNT_DETACH, MS_BIND, MS_NOATIME, MS_NODEV, MS_NOSUID, MS_REMOUNT } from '../system/libc.ts'
import { run } from '../system/run.ts'
import { BtrfsStorage } from './btrfs.ts'
import { isReadOnly } from './pool-care.ts'
import { DirectoryStorage } from './directory.ts'
import type { Storage } from './storage.ts'

export interface Pool {
  /** Where volumes are made. */
  directory: string
  storage: Storage
  /** True where it is a file system in a file beside its directory. */
  isInFile: boolean
  /** What this host lacks, in a sentence each. */
  limitations: string[]
}

/**
 * Makes or reopens the pool under the data directory: the directory itself where it is on btrfs, else a btrfs file
 * system in a sparse file of 80 % of the free space, else plain directories. The choice is made once and kept. Whichever it is, it is a
 * mount on which set-user-id bits and device files mean nothing to the host; computers see their own overlays. One that a full disk made
 * read-only is brought back, after `endUsers` has ended all that uses it.
 */
export async function openPool(dataDirectory: string, endUsers = async (): Promise<void> => {}): Promise<Pool> {
  const directory = join(dataDirectory, 'pool')
  await mkdir(directory, { recursive: true })
  if (existsSync(join(directory, plainMark))) return plain(directory)
  const file = join(dataDirectory, 'pool.img')
  if ((await statfs(directory)).type === BTRFS_MAGIC) {
    if (existsSync(file) && (await isReadOnly(directory))) {
      await endUsers()
      await reopenPool(directory)
    }
    return btrfs(directory)
  }
  try {
    if (!existsSync(file)) await format(file, dataDirectory)
    await mountFile(file, directory)
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
  await restrict(directory)
  const storage = await BtrfsStorage.open(directory)
  const limitations = storage.quota
    ? []
    : ['This btrfs file system allows no quotas, so computers have no disk limit of their own.']
  return { directory, storage, isInFile: existsSync(`${directory}.img`), limitations }
}

async function plain(directory: string, reason?: string): Promise<Pool> {
  if (reason !== undefined) await writeFile(join(directory, plainMark), `${reason}\n`)
  await restrict(directory)
  const limitations = [
    'No btrfs pool could be made here, so disk limits are not enforced and snapshots copy every file.',
  ]
  return { directory, storage: new DirectoryStorage(), isInFile: false, limitations }
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

/**
 * Brings back a pool that has gone read-only: its file system has to go from memory first, with the last that has something of it open or
 * mounted. Rejects with `unavailable` when that does not come about; what can be called again.
 */
export async function reopenPool(directory: string): Promise<void> {
  let cause: unknown
  for (let tries = 0; tries < maxReopenTries; tries++) {
    await detach(directory)
    try {
      // While the one that failed is in memory it is refused, or found again.
      await mountFile(`${directory}.img`, directory)
      if (!(await isReadOnly(directory))) return await restrict(directory)
    } catch (error) {
      cause = error
    }
    await delay(reopenPauseMs)
  }
  throw new CarrelError(
    'unavailable',
    `Cannot bring back the storage pool "${directory}", which has become read-only: something still uses it`,
    { cause },
  )
}

/** Also where this process has a mount namespace that is not its threads' (cgroups.ts). */
async function detach(directory: string): Promise<void> {
  await unmount(directory)
  if (isMounted(directory)) call('umount2', directory, MNT_DETACH)
}

async function mountFile(file: string, directory: string): Promise<void> {
  const attached = await run('losetup', ['-j', file, '-n', '-O', 'NAME'])
  const device =
    attached.trim().split('\n')[0] || (await run('losetup', ['--find', '--show', '--direct-io=on', file])).trim()
  const mount = ['mount', device, directory, 'btrfs', MS_NOSUID | MS_NODEV | MS_NOATIME, poolOptions] as const
  // By a thread of the pool, so that it is the host's mount; and in this process's own namespace, where that is another.
  await callAsync(...mount)
  if (!isMounted(directory)) call(...mount)
}

/** Also a mount that a server before this one made. What is no mount of its own becomes one. */
async function restrict(directory: string): Promise<void> {
  const flags = MS_NOSUID | MS_NODEV | MS_NOATIME
  const isOwn = isMounted(directory)
  if (!isOwn) await callAsync('mount', directory, directory, null, MS_BIND, null)
  await callAsync('mount', 'none', directory, null, MS_REMOUNT | MS_BIND | flags, null)
  // The options of its file system, where that is the pool's alone.
  if (isOwn && existsSync(`${directory}.img`))
    await callAsync('mount', 'none', directory, null, MS_REMOUNT | flags, poolOptions)
}

const BTRFS_MAGIC = 0x9123_683e
const poolShare = 0.8
/** What is deleted goes back to the disk; and is counted as gone soon, as quota groups are brought up to date by commits. */
const poolOptions = 'discard=async,commit=5'
const maxReopenTries = 50
const reopenPauseMs = 200
const plainMark = '.plain-directories'
