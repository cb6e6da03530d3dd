import type { BookKind, LedgerBookRow, Meter } from '../../../db/schema.ts'

/** A ledger account, with the id `kind` or `kind:<of what>`. A positive balance is owed by the operator, or earned. */
export type Book = Pick<LedgerBookRow, 'id' | 'kind' | 'account_id'>

/** What an account has paid ahead or was given: a liability. */
export const creditOf = (accountId: string): Book => ({
  id: `credit:${accountId}`,
  kind: 'credit',
  account_id: accountId,
})

/** The part of the credit that is reserved for running work. */
export const heldOf = (accountId: string): Book => ({ id: `hold:${accountId}`, kind: 'hold', account_id: accountId })

/** What a meter has earned. */
export const revenueOf = (meter: Meter): Book => houseBook('revenue', meter)

/** What came in by a payment method; the balance is the negative of what is held there. */
export const clearingOf = (method: string): Book => houseBook('clearing', method)

/** What was given away: first credits and bonuses. */
export const promotions: Book = houseBook('promotions')

/** What the owner's own computers used while nobody is billed for it. */
export const unbilled: Book = houseBook('unbilled')

/** What was used, or paid back, beyond what an account had. */
export const writeOff: Book = houseBook('write_off')

function houseBook(kind: BookKind, of?: string): Book {
  return { id: of === undefined ? kind : `${kind}:${of}`, kind, account_id: null }
}
