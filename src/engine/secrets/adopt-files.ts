import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { KeySettings } from './secret-keys.ts'
import type { SecretName, Secrets } from './secrets.ts'

/** The files in which earlier versions kept secrets. */
const files: Partial<Record<SecretName, string>> = {
  'signing-key': 'signing-key.json',
  'challenge-secret': 'mpp-secret',
}

/**
 * Takes secrets that are files of the data directory into the database, and removes the files once the database is on
 * the disk. A file that says something else than the database belonged to another database; it stays.
 */
export async function adoptFiles(
  secrets: Secrets,
  { settings, log }: { settings: KeySettings; log: Logger },
): Promise<void> {
  for (const [name, fileName] of Object.entries(files) as [SecretName, string][]) {
    const file = join(settings.dataDirectory, fileName)
    const kept = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return ''
      throw error
    })
    const secret = kept.trim()
    if (secret === '') continue
    if ((await secrets.get(name, async () => secret)) === secret) await rm(file, { force: true })
    else log.warn({ file }, 'a secret in a file is not that of the database, and is not used; remove the file')
  }
}
