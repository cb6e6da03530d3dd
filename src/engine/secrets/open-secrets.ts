import type { Context } from '../context.ts'
import { adoptFiles } from './adopt-files.ts'
import type { KeySettings } from './secret-keys.ts'
import { Secrets } from './secrets.ts'

/** Opens the secrets of the database, with those that earlier versions kept in files. */
export async function openSecrets({
  db,
  settings,
  log,
}: Pick<Context, 'db' | 'log'> & { settings: KeySettings }): Promise<Secrets> {
  const secrets = await Secrets.open(db, settings)
  await adoptFiles(secrets, { settings, log })
  return secrets
}
