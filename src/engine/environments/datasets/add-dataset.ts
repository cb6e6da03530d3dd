import { execFile } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdir, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { limits } from '../../../config/limits.ts'
import { transaction } from '../../../db/transaction.ts'
import { CarrelError } from '../../../errors.ts'
import { newId } from '../../ids.ts'
import type { DatasetContext } from './datasets.ts'
import { recordSamples, type Recorded } from './record-samples.ts'
import { runReader } from './upload/run-reader.ts'
import type { RefusedTask } from './upload/upload-report.ts'
import { versionsIn } from './version-files.ts'

export interface AddDataset {
  name: string
  /** Default: what the dataset says of itself. */
  description?: string | undefined
  /** What changed, for the versions that this makes. */
  versionDescription?: string | undefined
  /** A tar archive, or rows as JSON Lines or Parquet. */
  body: AsyncIterable<Uint8Array>
}

export interface AddedDataset extends Recorded {
  name: string
  refused: RefusedTask[]
  /** How many were refused, also beyond those that are listed. */
  refusals: number
}

/**
 * Adds a dataset, or to a dataset what is new in an upload. A sample that changed gets a new version; samples that the
 * upload lacks stay. Tasks that cannot be added are returned with their reasons. Throws `invalid_request` when no task
 * can be added.
 */
export function addDataset(engine: DatasetContext, options: AddDataset): Promise<AddedDataset> {
  return engine.datasetUploads.accept(async () => {
    const versions = versionsIn(engine.settings.dataDirectory)
    const staging = join(versions, `${engine.datasetUploads.prefix}${newId()}`)
    await mkdir(staging, { recursive: true, mode: 0o700 })
    try {
      const file = join(staging, 'upload')
      await receive(engine, file, options.body)
      return await engine.locks.datasets(() => addFile(engine, options, { file, staging, versions }))
    } finally {
      await rm(staging, { recursive: true, force: true })
    }
  })
}

async function receive(engine: DatasetContext, file: string, body: AsyncIterable<Uint8Array>): Promise<void> {
  let bytes = 0
  const bounded = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      bytes += chunk.length
      if (bytes > limits.datasetUploadBytes)
        throw new CarrelError(
          'too_large',
          `Cannot add the dataset: an upload has at most ${limits.datasetUploadBytes} bytes`,
        )
      yield chunk
    }
  }
  const { bavail, bsize } = await statfs(versionsIn(engine.settings.dataDirectory))
  if (bavail * bsize < reserveBytes(engine))
    throw new CarrelError('no_capacity', 'Cannot add the dataset: the disk of the host is full')
  await pipeline(bounded(), createWriteStream(file, { mode: 0o600 }))
}

async function addFile(
  engine: DatasetContext,
  { name, description, versionDescription = '' }: AddDataset,
  { file, staging, versions }: { file: string; staging: string; versions: string },
): Promise<AddedDataset> {
  const samples = join(staging, 'samples.jsonl')
  const bounds = {
    maxBytes: limits.datasetUnpackedBytes,
    maxEntries: limits.datasetEntries,
    reserveBytes: reserveBytes(engine),
  }
  const report = await runReader({ file, staging, versions, samples, name, bounds }, engine.server.closing)
  const { refused, refusals } = report
  if (report.count === 0) {
    const [first] = refused
    throw new CarrelError(
      'invalid_request',
      `Cannot add the dataset: no task can be added; ${first?.task}: ${first?.reason}`,
      {
        details: { refused },
      },
    )
  }
  // Rows must not outlive a power cut that their files do not.
  await promisify(execFile)('sync', ['--file-system', versions])
  const id = await findOrCreate(engine, name, description ?? report.description, description !== undefined)
  const recorded = await recordSamples(engine.db, { id, versionDescription }, samples)
  return { name, ...recorded, refused, refusals }
}

/** Returns the id of a dataset. A description that is given replaces that of an existing one. */
function findOrCreate(engine: DatasetContext, name: string, description: string, isGiven: boolean): Promise<string> {
  return transaction(engine.db, 'durable', async (trx) => {
    const existing = await trx.selectFrom('datasets').select('id').where('name', '=', name).executeTakeFirst()
    if (existing) {
      if (isGiven) await trx.updateTable('datasets').set({ description }).where('id', '=', existing.id).execute()
      return existing.id
    }
    const { count } = await trx
      .selectFrom('datasets')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      // All of them, by the index.
      .where('name', '>', '')
      .executeTakeFirstOrThrow()
    if (Number(count) >= limits.datasets)
      throw new CarrelError('limit_reached', `Cannot add the dataset: the server has ${limits.datasets} already`, {
        details: { limit: limits.datasets },
      })
    const id = newId()
    await trx
      .insertInto('datasets')
      .values({ id, name, description, sample_count: 0, created_at: Date.now() })
      .execute()
    return id
  })
}

function reserveBytes({ settings }: DatasetContext): number {
  return settings.diskReserveBytes ?? defaultReserveBytes
}

const defaultReserveBytes = 1024 ** 3
