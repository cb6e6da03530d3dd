import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { readdir, mkdir } from 'node:fs/promises'
import { CarrelError } from '../../../errors.ts'
import type { DriverLog } from '../../driver-log.ts'
import type { SnapshotFormat } from '../../driver.ts'
import { damaged } from '../../snapshot-stream/damaged.ts'
import { readSnapshot, type IncomingSnapshot } from '../../snapshot-stream/read-snapshot.ts'
import { RunningTransfers } from '../../snapshot-stream/running-transfers.ts'
import { writeSnapshot } from '../../snapshot-stream/write-snapshot.ts'
import { sharedFormat } from '../../snapshot-stream/shared-format.ts'
import type { LocalImages } from '../images/local-images.ts'
import type { DiskGuard } from '../storage/disk-guard.ts'
import type { Storage } from '../storage/storage.ts'
import type { Volumes } from '../storage/volumes.ts'
import { checkedBtrfs } from './btrfs-content.ts'
import { Staging } from './staging.ts'
import { packCommand, unpackCommand } from './tar-commands.ts'
import { feedConfined, outputOf, TransferFailure } from './transfer-program.ts'

interface Options {
  poolDirectory: string
  storage: Storage
  volumes: Volumes
  images: Pick<LocalImages, 'get'>
  guard: Pick<DiskGuard, 'assertSpace' | 'filesHeadroomBytes'>
  /** The fastest first. */
  formats: readonly SnapshotFormat[]
  log: DriverLog | undefined
  /** As `memoryBytes` of `ProgramOptions`. */
  programBytes?: number | undefined
}

/** Snapshots that leave this host as streams, and those that arrive. */
export class Transfers {
  readonly #options: Options
  readonly #staging: Staging
  readonly #running = new RunningTransfers()

  constructor(options: Options) {
    this.#options = options
    this.#staging = new Staging(options.poolDirectory, options.storage)
  }

  prepare(): Promise<void> {
    return this.#staging.prepare(this.#options.log)
  }

  /** As `Driver.exportSnapshot`. */
  async export(snapshotId: string, readable: readonly SnapshotFormat[]): Promise<Readable> {
    const { volumes, formats, guard } = this.#options
    // However full the disk is; but nothing may use a pool that is being recovered.
    guard.assertSpace(`export snapshot "${snapshotId}"`, Infinity)
    const format = sharedFormat(formats, readable)
    const image = await volumes.snapshotImage(snapshotId)
    if (image === undefined)
      throw new CarrelError('not_found', `Cannot export snapshot "${snapshotId}": it does not exist`)
    return this.#running.export(snapshotId, (signal) =>
      writeSnapshot({ format, image }, this.#explained(snapshotId, this.#contentOf(snapshotId, format, signal))),
    )
  }

  /** As `Driver.importSnapshot`. */
  async import(snapshotId: string, stream: Readable, { maxBytes }: { maxBytes: number }): Promise<void> {
    // The stream can fail at any time, also when nobody reads it any more.
    stream.on('error', () => {})
    try {
      await this.#running.run('import', snapshotId, (signal) => this.#import(snapshotId, stream, { maxBytes, signal }))
    } finally {
      stream.destroy()
    }
  }

  /** Deletes a snapshot, once its exports have ended. */
  deleteSnapshot(snapshotId: string): Promise<void> {
    return this.#running.delete(snapshotId, () => this.#options.volumes.deleteSnapshot(snapshotId))
  }

  /** Ends all transfers: of a server that ends, and of a pool that has failed. */
  endAll(): Promise<void> {
    return this.#running.endAll()
  }

  async *#contentOf(snapshotId: string, format: SnapshotFormat, signal: AbortSignal): AsyncGenerator<Buffer> {
    const { volumes, storage, programBytes: memoryBytes } = this.#options
    const path = volumes.snapshotPath(snapshotId)
    if (format === 'tar') return yield* outputOf(packCommand(path), { signal, memoryBytes })
    await using staging = await this.#staging.open()
    const copy = join(staging.path, 'copy')
    await storage.copy(path, copy, { readOnly: true })
    yield* outputOf(['btrfs', 'send', '--quiet', copy], { signal, memoryBytes })
  }

  async *#explained(snapshotId: string, content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    try {
      yield* content
    } catch (error) {
      if (!(error instanceof TransferFailure)) throw error
      throw explainExport(snapshotId, error)
    }
  }

  async #import(
    snapshotId: string,
    stream: Readable,
    { maxBytes, signal }: { maxBytes: number; signal: AbortSignal },
  ): Promise<void> {
    const { volumes, formats, images, guard } = this.#options
    const assertSpace = () => guard.assertSpace(`import snapshot "${snapshotId}"`, guard.filesHeadroomBytes)
    assertSpace()
    signal.addEventListener('abort', () => stream.destroy(signal.reason as Error), { once: true })
    const incoming = await readSnapshot(stream, { formats, maxBytes, beforePiece: assertSpace })
    const { image } = incoming
    if (!(await images.get(image)))
      throw new CarrelError(
        'image_missing',
        `Cannot import snapshot "${snapshotId}": image "${image}" is missing here`,
        {
          details: { image },
        },
      )
    if (volumes.hasSnapshot(snapshotId))
      throw new CarrelError('already_exists', `Cannot import snapshot "${snapshotId}": it exists`)
    await using staging = await this.#staging.open()
    try {
      const volume = await this.#unpack(incoming, staging.path, signal)
      signal.throwIfAborted()
      await volumes.adoptSnapshot(snapshotId, volume, image)
    } catch (error) {
      throw explainImport(snapshotId, error)
    }
  }

  /** Returns the path of a volume with the content. */
  async #unpack({ format, content }: IncomingSnapshot, directory: string, signal: AbortSignal): Promise<string> {
    const { storage, programBytes: memoryBytes } = this.#options
    const volume = join(directory, 'volume')
    const mountPoint = join(directory, 'root')
    await mkdir(mountPoint)
    if (format === 'tar') {
      await storage.create(volume)
      await feedConfined(unpackCommand, { directory: volume, mountPoint }, content, { signal, memoryBytes })
      return volume
    }
    const received = join(directory, 'received')
    await mkdir(received)
    const argv = ['btrfs', 'receive', '--quiet', '-m', '/volume', '/volume']
    await feedConfined(argv, { directory: received, mountPoint }, checkedBtrfs(content), { signal, memoryBytes })
    const [name, ...others] = await readdir(received)
    if (name === undefined || others.length > 0) throw damaged('its btrfs stream is not one subvolume')
    // A received subvolume is read-only, and has marks of its origin that a copy does not have.
    await storage.copy(join(received, name), volume)
    return volume
  }
}

function explainExport(snapshotId: string, error: TransferFailure): CarrelError {
  const message = `Cannot export snapshot "${snapshotId}"`
  const options = { cause: error }
  if (error.isPathTooLong) return new CarrelError('conflict', `${message}: a path in it is too long`, options)
  if (error.isBeyondBounds)
    return new CarrelError('conflict', `${message}: it takes too much memory or time to be packed`, options)
  return new CarrelError('internal', `${message}: it cannot be packed`, options)
}

/** Errors of programs name paths of the host and of the guest. They go to the log, as the cause, and not to the client. */
function explainImport(snapshotId: string, error: unknown): unknown {
  const message = `Cannot import snapshot "${snapshotId}"`
  if (isDiskFull(error))
    return new CarrelError('no_capacity', `${message}: the disk of the host is full`, { cause: error })
  if (!(error instanceof TransferFailure)) return error
  return new CarrelError('invalid_request', `${message}: its content cannot be unpacked here`, { cause: error })
}

function isDiskFull(error: unknown): boolean {
  if (error instanceof TransferFailure) return error.isDiskFull
  const { code, errno } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT' || errno === -EDQUOT
}

/** Node has no name for it. */
const EDQUOT = 122
