import { constants, readFileSync } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { call, callAsync, MNT_DETACH, MS_BIND, MS_NODEV, MS_NOSUID, MS_SHARED } from '../system/libc.ts'

/** Whether something is mounted exactly there, as this process sees it. By the list of mounts, which asks no file system. */
export function isMounted(path: string): boolean {
  return readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${path} `)
}

/** Everything below a directory that something is mounted on. */
export function mountsBelow(directory: string): Set<string> {
  const targets = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
  return new Set(targets.filter((target) => target.startsWith(`${directory}/`)))
}

/** Makes a directory a shared mount, so that what one server mounts under it is seen by the host and by the next server. */
export async function shareMounts(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o711 })
  if (!isMounted(directory)) call('mount', directory, directory, null, MS_BIND, null)
  call('mount', 'none', directory, null, MS_SHARED, null)
}

/**
 * Mounts a computer's root: an image, and over it the volume, which has `upper` and `work`. Both are named by descriptors,
 * since the list of mounts inside shows the names.
 */
export async function mountOverlay(target: string, image: string, volume: string): Promise<void> {
  await using lower = await open(image, constants.O_DIRECTORY)
  await using upper = await open(volume, constants.O_DIRECTORY)
  const [below, above] = [`/proc/self/fd/${lower.fd}`, `/proc/self/fd/${upper.fd}`]
  const options = `lowerdir=${below},upperdir=${above}/upper,workdir=${above}/work`
  await callAsync('mount', 'overlay', target, 'overlay', 0, options)
}

export async function mountTmpfs(target: string, options: string): Promise<void> {
  await callAsync('mount', 'tmpfs', target, 'tmpfs', MS_NOSUID | MS_NODEV, options)
}

/** Unmounting what is not mounted does nothing. */
export async function unmount(path: string): Promise<void> {
  await callAsync('umount2', path, MNT_DETACH).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EINVAL' && error.code !== 'ENOENT') throw error
  })
}
