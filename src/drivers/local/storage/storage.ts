import type { StorageUse } from '../../driver.ts'

/**
 * Volumes: directory trees that can be limited, measured and copied. They are subvolumes in `btrfs.ts`, and plain
 * directories in `directory.ts` for a host without btrfs. Paths are absolute and inside the pool.
 */
export interface Storage {
  readonly kind: 'btrfs' | 'directory'
  /** True when the kernel enforces `limit`. */
  readonly quota: boolean
  /** True when `copy` takes constant time. */
  readonly instantCopy: boolean
  create(path: string): Promise<void>
  /** Makes a copy that is independent of its origin. `readOnly` is for btrfs alone. */
  copy(from: string, to: string, options?: { readOnly: boolean }): Promise<void>
  /** Writes the data of a volume that is still in memory to the disk, where a copy would otherwise wait for that. */
  writeBack(path: string): Promise<void>
  /** Does nothing when the volume does not exist. */
  delete(path: string): Promise<void>
  limit(path: string, bytes: number): Promise<void>
  /** Returns a gauge of the volume's use that is cheap to read repeatedly; undefined when use is not counted. */
  gauge(path: string): Promise<DiskGauge | undefined>
  /** Returns the use of a volume with the part that no other volume has; undefined as for `gauge`. */
  use(path: string): Promise<StorageUse | undefined>
}

/** Returns the use of a volume; undefined when the volume does not exist any more. */
export type DiskGauge = () => DiskUse | undefined

export interface DiskUse {
  /** All written bytes, on the disk or not yet. */
  usedBytes: number
  /** The part of them that may not be on the disk yet. */
  dirtyBytes: number
}
