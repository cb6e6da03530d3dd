import { transaction } from '../../../db/transaction.ts'
import type { Database, UserSettingsRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import type { Kysely } from 'kysely'
import type { Authenticated } from './tokens.ts'
import type { Context } from '../../context.ts'

export const themes = ['system', 'light', 'dark'] as const

/** A user's preferences, for user interfaces. */
export interface UserSettings {
  displayName: string
  /** BCP 47. */
  locale: string
  /** A name from the time zone database. */
  timezone: string
  theme: (typeof themes)[number]
}

type Stored = Omit<UserSettings, 'displayName'>

const defaults: Stored = { locale: 'en', timezone: 'UTC', theme: 'system' }

/** Returns the settings; defaults: `en`, `UTC` and `system`. A token without a user has the settings of its account. */
export function readUserSettings({ db }: Pick<Context, 'db'>, caller: Authenticated): Promise<UserSettings> {
  return read(db, caller)
}

/**
 * Changes the given settings and leaves the rest; returns all. Throws `invalid_request`, and changes nothing, for an
 * unknown language tag or time zone; and `forbidden` for an API key of a shared workspace, whose holder need not be the
 * user.
 */
export function changeUserSettings(
  { db }: Pick<Context, 'db'>,
  caller: Authenticated,
  changes: Partial<UserSettings>,
): Promise<UserSettings> {
  const { displayName, ...stored } = canonical(changes)
  return transaction(db, { kind: 'operational', queue: caller.accountId }, async (trx) => {
    await assertOwnKey(trx, caller)
    if (displayName !== undefined) await rename(trx, caller, displayName)
    if (Object.keys(stored).length > 0) {
      const row: UserSettingsRow = {
        ...((await rowOf(trx, caller)) ?? { ...defaults, owner_id: ownerOf(caller) }),
        ...stored,
        updated_at: Date.now(),
      }
      await trx
        .insertInto('person_settings')
        .values(row)
        .onConflict((conflict) => conflict.column('owner_id').doUpdateSet(row))
        .execute()
    }
    return read(trx, caller)
  })
}

async function assertOwnKey(db: Kysely<Database>, { kind, userId, accountId }: Authenticated): Promise<void> {
  if (kind !== 'api_key' || userId === null) return
  const { account_id } = await db
    .selectFrom('users')
    .select('account_id')
    .where('id', '=', userId)
    .executeTakeFirstOrThrow()
  if (account_id === accountId) return
  throw new CarrelError(
    'forbidden',
    'Cannot change preferences with an API key of a shared workspace: sign in as the user',
  )
}

async function read(db: Kysely<Database>, caller: Authenticated): Promise<UserSettings> {
  const { locale, timezone, theme } = (await rowOf(db, caller)) ?? defaults
  return { displayName: await nameOf(db, caller), locale, timezone, theme }
}

function rowOf(db: Kysely<Database>, caller: Authenticated): Promise<UserSettingsRow | undefined> {
  return db.selectFrom('person_settings').selectAll().where('owner_id', '=', ownerOf(caller)).executeTakeFirst()
}

function ownerOf({ userId, accountId }: Authenticated): string {
  return userId ?? accountId
}

async function nameOf(db: Kysely<Database>, { userId, accountId }: Authenticated): Promise<string> {
  const { name } = await (
    userId === null
      ? db.selectFrom('accounts').select('name').where('id', '=', accountId)
      : db.selectFrom('users').select('name').where('id', '=', userId)
  ).executeTakeFirstOrThrow()
  return name
}

async function rename(db: Kysely<Database>, { userId, accountId }: Authenticated, name: string): Promise<void> {
  await (
    userId === null
      ? db.updateTable('accounts').set({ name }).where('id', '=', accountId)
      : db.updateTable('users').set({ name }).where('id', '=', userId)
  ).execute()
}

/** Returns the changes in their canonical form. */
function canonical({ displayName, locale, timezone, theme }: Partial<UserSettings>): Partial<UserSettings> {
  const name = displayName?.trim()
  if (name === '') throw refusal('displayName', 'it must not be empty')
  return {
    ...(name === undefined ? {} : { displayName: name }),
    ...(locale === undefined ? {} : { locale: localeOf(locale) }),
    ...(timezone === undefined ? {} : { timezone: timezoneOf(timezone) }),
    ...(theme === undefined ? {} : { theme }),
  }
}

function localeOf(text: string): string {
  try {
    return Intl.getCanonicalLocales(text)[0]!
  } catch {
    throw refusal('locale', `${JSON.stringify(text)} is not a language tag, such as "en" or "de-AT"`)
  }
}

function timezoneOf(text: string): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone
  } catch {
    throw refusal('timezone', `${JSON.stringify(text)} is not a time zone, such as "UTC" or "Asia/Jakarta"`)
  }
}

function refusal(field: string, why: string): CarrelError {
  return new CarrelError('invalid_request', `Cannot use field "${field}": ${why}`, { details: { field } })
}
