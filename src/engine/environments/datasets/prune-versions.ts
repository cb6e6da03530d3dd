import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { chunks } from '../../../db/chunks.ts'
import { inList } from '../../../db/in-list.ts'
import { stagingPrefix } from './upload/uploads.ts'
import type { DatasetContext } from './datasets.ts'
import { removeFiles } from './remove-samples.ts'
import { versionsIn } from './version-files.ts'

/** Deletes what a crash or another server of the database has left here: uploads, and files that no version has. */
export async function pruneVersions(engine: DatasetContext): Promise<void> {
  await engine.locks.datasets(async () => {
    const root = versionsIn(engine.settings.dataDirectory)
    const names = await readdir(root).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    })
    for (const name of names)
      if (name.startsWith(stagingPrefix) && !name.startsWith(engine.datasetUploads.prefix))
        await rm(join(root, name), { recursive: true, force: true })
    const hashes = [...new Set(names.flatMap((name) => /^[0-9a-f]{64}/.exec(name) ?? []))]
    for (const some of chunks(hashes)) {
      const rows = await engine.db
        .selectFrom('samples')
        .select('content_hash')
        .distinct()
        .where((eb) => inList(eb, 'content_hash', some))
        .execute()
      const known = new Set(rows.map(({ content_hash: hash }) => hash))
      for (const hash of some) if (!known.has(hash)) await removeFiles(engine, hash)
    }
  })
}
