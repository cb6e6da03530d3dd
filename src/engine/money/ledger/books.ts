import type { BookKind, LedgerBookRow, Meter } from '../../../db/schema.ts'

/**
 * An account of the books, by its id `kind` or `kind:<of what>`. A positive balance is owed by the house, or earned.
 */
export type Book = Pick<LedgerBookRow, 'id' | 'kind' | 'account_id'>

/** What an account paid ahead or was given: a liability. */
export const creditOf = (accountId: string): Book => ({
  id: `credit:${accountId}`,
  kind: 'credit',
  account_id: accountId,
})

/** The part of it that is set aside for work that runs. */
export const heldOf = (accountId: string): Book => ({ id: `hold:${accountId}`, kind: 'hold', account_id: accountId })

/** What was earned by a meter. */
export const revenueOf = (meter: Meter): Book => house('revenue', meter)

/** What came in by a way of paying; its balance is what is held there, with a minus. */
export const clearingOf = (method: string): Book => house('clearing', method)

/** What was given away: first credit and bonuses. */
export const promotions: Book = house('promotions')

/** What the owner's own computers used while nobody is billed for it. */
export const unbilled: Book = house('unbilled')

/** What was used, or paid back, beyond what an account had. */
export const writeOff: Book = house('write_off')

function house(kind: BookKind, of?: string): Book {
  return { id: of === undefined ? kind : `${kind}:${of}`, kind, account_id: null }
}
