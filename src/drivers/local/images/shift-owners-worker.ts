import { chmodSync, lchownSync, lstatSync, readdirSync, unlinkSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import type { ShiftedTree } from './shift-owners.ts'

const { directory, idMap } = workerData as { directory: string; idMap: { firstHostId: number; count: number } }
const device = lstatSync(directory).dev
/** Inodes with several names, whose owner must be changed only once. */
const seen = new Set<number>()
const total: ShiftedTree = { files: 0, bytes: 0 }

// Names are bytes, since a package can have one that is not UTF-8.
const root = Buffer.from(directory)
const directories = [root]
shift(root, lstatSync(root))
for (let path = directories.pop(); path !== undefined; path = directories.pop()) {
  const prefix = Buffer.concat([path, Buffer.from('/')])
  for (const name of readdirSync(path, { encoding: 'buffer' })) {
    const entry = Buffer.concat([prefix, name])
    const stats = lstatSync(entry)
    if (isDeviceNode(stats)) unlinkSync(entry)
    else shift(entry, stats)
    if (stats.isDirectory()) directories.push(entry)
  }
}
parentPort?.postMessage(total)

function shift(path: Buffer, stats: Stats): void {
  if (stats.dev !== device) throw new Error(`"${path.toString()}" is a mount, not a part of the image`)
  if (stats.nlink > 1 && !stats.isDirectory()) {
    if (seen.has(stats.ino)) return
    seen.add(stats.ino)
  }
  lchownSync(path, hostId(stats.uid), hostId(stats.gid))
  // A change of owner clears these bits.
  if (stats.isFile() && (stats.mode & 0o6000) !== 0) chmodSync(path, stats.mode & 0o7777)
  total.files += 1
  total.bytes += stats.blocks * 512
}

/** A layer of an overlay marks what it deletes with a character device 0:0, which is no device of a host. */
function isDeviceNode(stats: Stats): boolean {
  return stats.isBlockDevice() || (stats.isCharacterDevice() && stats.rdev !== 0)
}

/** Ids of the host's map stay, as in a layer that was built with it. Ids that a computer does not have become those of nobody. */
function hostId(id: number): number {
  if (id >= idMap.firstHostId && id < idMap.firstHostId + idMap.count) return id
  return idMap.firstHostId + (id < idMap.count ? id : 65_534)
}
