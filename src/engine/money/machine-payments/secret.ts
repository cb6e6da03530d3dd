import { randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Settings } from '../../../config/settings.ts'

/**
 * Returns the secret that challenges are signed with: the operator's, or one from its file in the data directory (mode
 * 0600), which is created when it is missing. A new secret invalidates the challenges that are not answered yet.
 */
export async function openPaymentSecret({
  mppSecret,
  dataDirectory,
}: Pick<Settings, 'mppSecret' | 'dataDirectory'>): Promise<string> {
  if (mppSecret !== undefined) return mppSecret
  const file = join(dataDirectory, 'mpp-secret')
  const kept = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (kept?.trim()) return kept.trim()
  const secret = randomBytes(32).toString('base64url')
  await writeFile(`${file}.new`, `${secret}\n`, { mode: 0o600 })
  await rename(`${file}.new`, file)
  return secret
}
