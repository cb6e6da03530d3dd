import type { Readable } from 'node:stream'
import { CarrelError } from '../../errors.ts'
import type { SnapshotFormat } from '../driver.ts'
import { readSnapshot } from '../snapshot-stream/read-snapshot.ts'
import { RunningTransfers } from '../snapshot-stream/running-transfers.ts'
import { sharedFormat } from '../snapshot-stream/shared-format.ts'
import { writeSnapshot } from '../snapshot-stream/write-snapshot.ts'
import { packTree, unpackTree } from './file-system/pack-tree.ts'
import type { MemoryHost } from './memory-host.ts'

/** The snapshots of a host, and their exports and imports. */
export class MemorySnapshots {
  readonly #host: MemoryHost
  readonly #running = new RunningTransfers()

  constructor(host: MemoryHost) {
    this.#host = host
  }

  delete(snapshotId: string): Promise<void> {
    return this.#running.delete(snapshotId, async () => void this.#host.snapshots.delete(snapshotId))
  }

  async export(snapshotId: string, readable: readonly SnapshotFormat[]): Promise<Readable> {
    const format = sharedFormat(['memory'], readable)
    const snapshot = this.#host.snapshots.get(snapshotId)
    if (!snapshot) throw new CarrelError('not_found', `Cannot export snapshot "${snapshotId}": it does not exist`)
    const { root, image } = snapshot
    return this.#running.export(snapshotId, () => writeSnapshot({ format, image }, packTree(root)))
  }

  async import(snapshotId: string, stream: Readable, { maxBytes }: { maxBytes: number }): Promise<void> {
    stream.on('error', () => {})
    try {
      await this.#running.run('import', snapshotId, async (signal) => {
        signal.addEventListener('abort', () => stream.destroy(signal.reason as Error), { once: true })
        const { image, content } = await readSnapshot(stream, { formats: ['memory'], maxBytes })
        this.#assertImportable(snapshotId, image)
        const root = await unpackTree(content)
        this.#assertImportable(snapshotId, image)
        // A stream does not say what of it the image has.
        this.#host.snapshots.set(snapshotId, { root, image, usedBytes: 0 })
      })
    } finally {
      stream.destroy()
    }
  }

  #assertImportable(snapshotId: string, image: string): void {
    const message = `Cannot import snapshot "${snapshotId}"`
    if (!this.#host.images.has(image))
      throw new CarrelError('image_missing', `${message}: image "${image}" is missing here`, { details: { image } })
    if (this.#host.snapshots.has(snapshotId)) throw new CarrelError('already_exists', `${message}: it exists`)
  }

  /** Ends the exports and imports that are under way. */
  close(): Promise<void> {
    return this.#running.endAll()
  }
}
