import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, statfs, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { CarrelError } from '../../../errors.ts'
import { isMounted, unmount } from '../host/mounts.ts'
import { call, callAsync, MNT_DETACH, MS_BIND, MS_NOATIME, MS_NODEV, MS_NOSUID, MS_REMOUNT } from '../system/libc.ts'
import { run } from '../system/run.ts'
import { BtrfsStorage } from './btrfs.ts'
import { isReadOnly } from './pool-maintenance.ts'
import { DirectoryStorage } from './directory.ts'
import type { Storage } from './storage.ts'

export interface Pool {
  /** The directory of the volumes. */
  directory: string
  storage: Storage
  /** True when the pool is a file system in a file next to its directory. */
  isInFile: boolean
  /** A sentence for each thing that this host lacks. */
  limitations: string[]
}

/**
 * Creates or reopens the pool in the data directory: the directory itself where it is on btrfs, otherwise a btrfs file
 * system in a sparse file of 80 % of the free space, otherwise plain directories. The choice is made once and kept. In
 * each case the pool is a mount on which the host ignores set-user-ID bits and device files; computers see their own
 * overlays. As plain directories are for good, a pool in a file is attempted several times first. A pool that a full disk
 * turned read-only is reopened, after `endUsers` has ended everything that uses it. Throws `unavailable` when an existing
 * pool cannot be mounted.
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
  if (!existsSync(file)) {
    const reason = await make(file, directory)
    return reason === undefined ? btrfs(directory) : plain(directory, reason)
  }
  try {
    await mountFile(file, directory)
  } catch (error) {
    throw new CarrelError('unavailable', `Cannot mount the storage pool "${file}": ${messageOf(error)}`, {
      cause: error,
    })
  }
  return btrfs(directory)
}

async function btrfs(directory: string): Promise<Pool> {
  await restrict(directory)
  const storage = await BtrfsStorage.open(directory)
  const limitations = storage.quota
    ? []
    : [
        `This btrfs file system allows no quotas (${storage.quotaFailure}), so computers have no disk limit of their own.`,
      ]
  return { directory, storage, isInFile: existsSync(`${directory}.img`), limitations }
}

async function plain(directory: string, reason?: string): Promise<Pool> {
  const mark = join(directory, plainMark)
  if (reason !== undefined) await writeFile(mark, `${reason}\n`)
  await restrict(directory)
  const why = (await readFile(mark, 'utf8')).trim()
  const limitations = [
    `No btrfs pool could be made here (${why}), so disk limits are not enforced and snapshots copy every file.`,
  ]
  return { directory, storage: new DirectoryStorage(), isInFile: false, limitations }
}

/**
 * Makes and mounts a pool in a file. Resolves with the reason of the last failure, else undefined. The loop device of a
 * failed attempt is freed at the end, so that each attempt has another one.
 */
async function make(file: string, directory: string): Promise<string | undefined> {
  const failed = new Set<string>()
  let reason: string | undefined
  for (let tries = 0; tries < maxMakeTries; tries++) {
    if (tries > 0) await delay(makePauseMs)
    try {
      await format(file)
      await mountFile(file, directory)
      reason = undefined
      break
    } catch (error) {
      const devices = await devicesOf(file).catch(() => [])
      for (const device of devices) failed.add(device)
      reason = messageOf(error) + (await kernelMessages(devices))
      // Nothing is in it yet.
      await detach(directory).catch(() => {})
      await rm(file, { force: true })
    }
  }
  for (const device of failed) await run('losetup', ['--detach', device]).catch(() => {})
  return reason
}

/** Returns what the kernel has last said of a file system on one of these devices, in parentheses. */
async function kernelMessages(devices: string[]): Promise<string> {
  const names = devices.map((device) => device.replace('/dev/', ''))
  const log = names.length > 0 ? await run('dmesg', ['--notime']).catch(() => '') : ''
  const lines = log.split('\n').filter((line) => /btrfs/i.test(line) && names.some((name) => line.includes(name)))
  return lines.length > 0 ? ` (${lines.slice(-maxKernelMessages).join('; ')})` : ''
}

async function format(file: string): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(file))
  const temporary = `${file}.new`
  try {
    await rm(temporary, { force: true })
    await writeFile(temporary, '', { mode: 0o600 })
    await truncate(temporary, Math.floor(bavail * bsize * poolShare))
    await run('mkfs.btrfs', ['-q', '-m', 'single', '-L', 'carrel', temporary])
    await rename(temporary, file)
  } finally {
    await rm(temporary, { force: true })
  }
}

/**
 * Mounts a pool that has turned read-only again. The kernel must first drop its file system, which happens when nothing
 * in it is open or mounted any more. Throws `unavailable` when that takes too long; the caller can then try again.
 */
export async function reopenPool(directory: string): Promise<void> {
  let cause: unknown
  for (let tries = 0; tries < maxReopenTries; tries++) {
    await detach(directory)
    try {
      // While the failed file system is in memory, the kernel refuses the mount or returns the failed one.
      await mountFile(`${directory}.img`, directory)
      if (!(await isReadOnly(directory))) return await restrict(directory)
    } catch (error) {
      cause = error
    }
    await delay(reopenPauseMs)
  }
  throw new CarrelError(
    'unavailable',
    `Cannot reopen the storage pool "${directory}", which has turned read-only: something still uses it`,
    { cause },
  )
}

/**
 * Unmounts for the threads of the pool and for this process, which can have another mount namespace (own-mounts.ts).
 */
async function detach(directory: string): Promise<void> {
  await unmount(directory)
  if (isMounted(directory)) call('umount2', directory, MNT_DETACH)
}

async function mountFile(file: string, directory: string): Promise<void> {
  const [attached] = await devicesOf(file)
  const device = attached ?? (await run('losetup', ['--find', '--show', '--direct-io=on', file])).trim()
  const mount = ['mount', device, directory, 'btrfs', MS_NOSUID | MS_NODEV | MS_NOATIME, poolOptions] as const
  // A thread of the pool mounts it for the host; this process mounts it again if its own mount namespace is another.
  try {
    await callAsync(...mount)
    if (!isMounted(directory)) call(...mount)
  } catch (error) {
    throw new Error(`${device}: ${messageOf(error)}`, { cause: error })
  }
}

/** Returns the loop devices of a file. */
async function devicesOf(file: string): Promise<string[]> {
  const names = await run('losetup', ['-j', file, '-n', '-O', 'NAME'])
  return names.split('\n').filter((name) => name !== '')
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Sets the mount options of the pool, also on the mount of an earlier server. A plain directory becomes a mount. */
async function restrict(directory: string): Promise<void> {
  const flags = MS_NOSUID | MS_NODEV | MS_NOATIME
  const isOwn = isMounted(directory)
  if (!isOwn) await callAsync('mount', directory, directory, null, MS_BIND, null)
  await callAsync('mount', 'none', directory, null, MS_REMOUNT | MS_BIND | flags, null)
  // Options of the file system, where the pool does not share it.
  if (isOwn && existsSync(`${directory}.img`))
    await callAsync('mount', 'none', directory, null, MS_REMOUNT | flags, poolOptions)
}

const BTRFS_MAGIC = 0x9123_683e
const poolShare = 0.8
/** Deleted data returns to the disk, and quotas count it as gone soon, since commits bring quota groups up to date. */
const poolOptions = 'discard=async,commit=5'
const maxMakeTries = 4
const makePauseMs = 500
const maxKernelMessages = 3
const maxReopenTries = 50
const reopenPauseMs = 200
const plainMark = '.plain-directories'
