/**
 * Volumes: directory trees that can be limited, measured and copied at once. `btrfs.ts` makes them subvolumes,
 * `directory.ts` plain directories for a host without btrfs. Paths are absolute, under the pool.
 */
export interface Storage {
  readonly kind: 'btrfs' | 'directory'
  /** True when `limit` is enforced by the kernel. */
  readonly quota: boolean
  /** True when `copy` takes the same time whatever the volume holds. */
  readonly instantCopy: boolean
  create(path: string): Promise<void>
  /** The copy is independent of its origin and writable. */
  copy(from: string, to: string): Promise<void>
  /** Deleting what is not there does nothing. */
  delete(path: string): Promise<void>
  limit(path: string, bytes: number): Promise<void>
  /** A gauge of the bytes in the volume, cheap to read again and again; undefined where there is none. */
  gauge(path: string): Promise<DiskGauge | undefined>
}

/** What a volume holds now; undefined when it is gone. */
export type DiskGauge = () => DiskUse | undefined

export interface DiskUse {
  /** Written to the disk or not yet. */
  usedBytes: number
  /** Of that, what may not be on the disk yet. */
  waitingBytes: number
}
