import { constants, readFileSync } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { call, callAsync, MNT_DETACH, MS_BIND, MS_NODEV, MS_NOSUID, MS_SHARED } from '../system/libc.ts'

/** Returns whether a path is a mount point in this process's namespace. Reads the list of mounts and no file system. */
export function isMounted(path: string): boolean {
  return readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${path} `)
}

/** Returns all mount points below a directory. */
export function mountsBelow(directory: string): Set<string> {
  const targets = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
  return new Set(targets.filter((target) => target.startsWith(`${directory}/`)))
}

/** Makes a directory a shared mount: the host and the next server see what one server mounts below it. */
export async function shareMounts(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o711 })
  if (!isMounted(directory)) call('mount', directory, directory, null, MS_BIND, null)
  call('mount', 'none', directory, null, MS_SHARED, null)
}

/**
 * Mounts a root: an overlay of the volume, with its `upper` and `work`, over the layers of an image, the topmost first.
 * All are given as descriptors, since the list of mounts inside shows the paths that were given.
 */
export async function mountOverlay(target: string, layers: readonly string[], volume: string): Promise<void> {
  await using opened = new AsyncDisposableStack()
  const pathOf = async (directory: string) =>
    `/proc/self/fd/${opened.use(await open(directory, constants.O_DIRECTORY)).fd}`
  const above = await pathOf(volume)
  const below: string[] = []
  for (const layer of layers) below.push(await pathOf(layer))
  const options = `lowerdir=${below.join(':')},upperdir=${above}/upper,workdir=${above}/work`
  await callAsync('mount', 'overlay', target, 'overlay', 0, options)
}

export async function mountTmpfs(target: string, options: string): Promise<void> {
  await callAsync('mount', 'tmpfs', target, 'tmpfs', MS_NOSUID | MS_NODEV, options)
}

/** Does nothing when nothing is mounted there. */
export async function unmount(path: string): Promise<void> {
  await callAsync('umount2', path, MNT_DETACH).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EINVAL' && error.code !== 'ENOENT') throw error
  })
}
