import { constants } from 'node:fs'
import { chown, mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { mountOverlay, unmount } from '../host/mounts.ts'
import { toHostId } from '../system/id-map.ts'
import { holdUserNamespace } from '../system/user-namespace.ts'

/** How the programs of a build run. */
export interface BuildPrograms {
  signal: AbortSignal
  /** The programs yield to all others of the host. */
  background: boolean
  /** A descriptor of the user namespace that programs inside the root have; undefined for the host's. */
  namespace: number | undefined
}

/** What a layer lies over, and where. */
export interface Base {
  /** The id of the image. */
  from: string
  /** The root file systems of the image, the topmost first. */
  below: readonly string[]
  /** Where the layer is mounted over them. All threads of the server have to share the mounts there. */
  path: string
}

/** The root file system of an image that is being built. */
export interface BuildRoot extends AsyncDisposable {
  path: string
  namespace: number | undefined
  /** Makes `<volume>/rootfs` what is to be stored. */
  finish(): Promise<void>
}

/** The root of an image that lies over no other. Its owners are those of the host until they are shifted. */
export function wholeRoot(volume: string): BuildRoot {
  return {
    path: join(volume, 'rootfs'),
    namespace: undefined,
    finish: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
}

/**
 * Mounts an empty layer of a volume over the root file systems of an image, whose owners are shifted. Programs run in a
 * user namespace in which they are not, as in a computer, so that no file of the base is copied for its owner.
 */
export async function openLayer(volume: string, { below, path }: Base): Promise<BuildRoot> {
  const [upper, work] = [join(volume, 'upper'), join(volume, 'work')]
  for (const directory of [path, upper, work]) await mkdir(directory, { recursive: true })
  await chown(upper, toHostId(0), toHostId(0))
  await using opening = new AsyncDisposableStack()
  const holder = opening.use(await holdUserNamespace())
  const namespace = opening.use(await open(`/proc/${holder.pid}/ns/user`, constants.O_RDONLY))
  await mountOverlay(path, below, volume)
  opening.defer(() => unmount(path))
  const opened = opening.move()
  return {
    path,
    namespace: namespace.fd,
    finish: async () => {
      await unmount(path)
      for (const directory of [path, work]) await rm(directory, { recursive: true })
      await rename(upper, join(volume, 'rootfs'))
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
