import type { Kysely } from 'kysely'
import { SettingError } from '../../config/settings.ts'
import type { Database, SecretRow } from '../../db/schema.ts'
import { transaction } from '../../db/transaction.ts'
import { seal, unseal } from './seal.ts'
import type { SecretKey } from './secret-key.ts'
import { openSecretKeys, type KeySettings, type SecretKeys } from './secret-keys.ts'

/** Names of secrets; each is the name of a row. */
export type SecretName =
  | 'signing-key'
  | 'challenge-secret'
  | 'ssh-user-authority'
  | 'ssh-host-secret'
  | 'ssh-edge-certificate'
  | 'share-link-key'

/**
 * What the servers of a database have to know together: rows that are encrypted with a key that is not in the database.
 * They are read once, when the server starts.
 */
export class Secrets {
  readonly #db: Kysely<Database>
  readonly #keys: SecretKeys

  private constructor(db: Kysely<Database>, keys: SecretKeys) {
    this.#db = db
    this.#keys = keys
  }

  /**
   * Opens the secrets of a database, and encrypts those of older keys with the first one. Throws a `SettingError` when
   * the key of a secret is missing.
   */
  static async open(db: Kysely<Database>, settings: KeySettings): Promise<Secrets> {
    const rows = await db.selectFrom('secrets').selectAll().orderBy('name').execute()
    const secrets = new Secrets(db, await openSecretKeys(settings, rows.length > 0))
    for (const row of rows) await secrets.#renew(row)
    return secrets
  }

  /** Returns a secret. Creates it where it is missing; of several servers that do so at once, one is followed by all. */
  async get(name: SecretName, create: () => Promise<string>): Promise<string> {
    const kept = await this.find(name)
    if (kept !== undefined) return kept
    const secret = await create()
    await transaction(this.#db, 'durable', (trx) =>
      trx
        .insertInto('secrets')
        .values({ ...seal(name, secret, this.#keys[0]), created_at: Date.now() })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .execute(),
    )
    return (await this.find(name))!
  }

  /** Returns a secret; undefined when it does not exist. */
  async find(name: SecretName): Promise<string | undefined> {
    const row = await this.#db.selectFrom('secrets').selectAll().where('name', '=', name).executeTakeFirst()
    return row && this.#unseal(row)
  }

  #unseal(row: SecretRow): string {
    const key = this.#keyOf(row)
    try {
      return unseal(row, key)
    } catch {
      throw new SettingError(
        `Cannot start: the secret "${row.name}" in the database is damaged; restore the database from a backup, or delete the row to get a new secret`,
      )
    }
  }

  #keyOf({ name, key_id: id }: SecretRow): SecretKey {
    const key = this.#keys.find((each) => each.id === id)
    if (key) return key
    throw new SettingError(
      `Cannot start: the secret "${name}" in the database is encrypted with the key ${id}, and this server has ${this.#keys.map((each) => each.id).join(' and ')}; give every server of the database the same CARREL_SECRET_KEY, or a copy of the secret.key of the first one`,
    )
  }

  /** Encrypts a secret with the first key. Another server may do so at the same time. */
  async #renew(row: SecretRow): Promise<void> {
    const secret = this.#unseal(row)
    if (row.key_id === this.#keys[0].id) return
    await transaction(this.#db, 'durable', (trx) =>
      trx
        .updateTable('secrets')
        .set(seal(row.name, secret, this.#keys[0]))
        .where('name', '=', row.name)
        .where('nonce', '=', row.nonce)
        .execute(),
    )
  }
}
