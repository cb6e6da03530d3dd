import { open } from 'node:fs/promises'
import { CarrelError } from '../../../errors.ts'
import { findSample, type SampleAddress, type SampleContext } from './find-sample.ts'
import { publicArchiveOf } from './version-files.ts'

export interface OpenArchive {
  info: { name: string; sizeBytes: number; modifiedAtMs: number }
  read: (buffer: Buffer, at: number) => Promise<number>
  close: () => void
}

/**
 * Opens the archive of what an agent may see of a sample. Throws `not_found` when there is no such sample or version,
 * `unavailable` when its files are on another server of the database.
 */
export async function openPublicArchive(engine: SampleContext, address: SampleAddress): Promise<OpenArchive> {
  const { row } = await findSample(engine, address)
  const path = publicArchiveOf(engine.settings.dataDirectory, row.content_hash)
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    const reason = 'its files are not on this server; add the dataset here too'
    throw new CarrelError('unavailable', `Cannot download sample "${address.sampleId}": ${reason}`)
  })
  const info = {
    name: `${row.sample_id}.tar.gz`,
    sizeBytes: Number(row.archive_bytes),
    modifiedAtMs: Number(row.created_at),
  }
  return {
    info,
    read: async (buffer, at) => (await file.read(buffer, 0, buffer.length, at)).bytesRead,
    close: () => void file.close(),
  }
}
