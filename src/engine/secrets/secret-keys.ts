import { SettingError, type Settings } from '../../config/settings.ts'
import { createKeyFile, keyFile, readKeyFile } from './key-file.ts'
import { secretKey, type SecretKey } from './secret-key.ts'

/** Where a server finds its keys. */
export type KeySettings = Pick<Settings, 'secretKeys' | 'dataDirectory'>

/** The keys of a server: the first one encrypts, all of them decrypt. */
export type SecretKeys = readonly [SecretKey, ...SecretKey[]]

/**
 * Returns the keys of `CARREL_SECRET_KEY`, and that of the key file as the oldest, so that setting the variable
 * replaces the file's key. Creates the file where there is neither. Throws a `SettingError` when secrets are encrypted
 * already, and the key is missing.
 */
export async function openSecretKeys(
  { secretKeys, dataDirectory }: KeySettings,
  hasSecrets: boolean,
): Promise<SecretKeys> {
  const file = keyFile(dataDirectory)
  const kept = await readKeyFile(file)
  const [first, ...rest] = [...secretKeys.map((bytes) => secretKey(bytes)), ...(kept ? [kept] : [])]
  if (first) return [first, ...rest]
  if (!hasSecrets) return [await createKeyFile(file)]
  throw new SettingError(
    `Cannot start: the secrets in the database are encrypted, and the key is missing: there is no "${file}", and CARREL_SECRET_KEY is not set; restore the file, or give this server the key of the other servers`,
  )
}
