import { Secrets, type SecretName } from '../../src/engine/secrets/secrets.ts'
import { testDataDirectory } from './data-directory.ts'
import { withDatabase } from './with-database.ts'

/** Returns a secret of the test servers. */
export async function serverSecret(name: SecretName): Promise<string> {
  const secret = await withDatabase(async (db) => {
    const secrets = await Secrets.open(db, { secretKeys: [], dataDirectory: testDataDirectory })
    return secrets.find(name)
  })
  if (secret === undefined) throw new Error(`The test servers have no secret "${name}"`)
  return secret
}
