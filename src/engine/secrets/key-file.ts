import { randomBytes } from 'node:crypto'
import { open, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseSecretKey, secretKeyBytes } from '../../config/parse-secret-key.ts'
import { SettingError } from '../../config/settings.ts'
import { secretKey, type SecretKey } from './secret-key.ts'

/** Returns the path of the file that holds the key where `CARREL_SECRET_KEY` is not set. */
export function keyFile(dataDirectory: string): string {
  return join(dataDirectory, 'secret.key')
}

/** Returns the key in a file; undefined when there is no file. Throws a `SettingError` when it holds no key. */
export async function readKeyFile(file: string): Promise<SecretKey | undefined> {
  const text = await readFile(file, 'latin1').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  const bytes = parseSecretKey(text.trim())
  if (bytes === undefined)
    throw new SettingError(
      `Cannot start: "${file}" does not hold a key of ${secretKeyBytes} bytes in base64; restore it from a backup`,
    )
  return secretKey(bytes)
}

/**
 * Creates a key in a file (mode 0600) that is on the disk when this resolves: rows that are encrypted with a key that a
 * power cut takes away would be lost.
 */
export async function createKeyFile(file: string): Promise<SecretKey> {
  const bytes = randomBytes(secretKeyBytes)
  await writeFile(`${file}.new`, `${bytes.toString('base64')}\n`, { mode: 0o600, flush: true })
  await rename(`${file}.new`, file)
  const directory = await open(dirname(file))
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
  return secretKey(bytes)
}
