import type { Kysely, Transaction, Updateable } from 'kysely'
import type { Database, PaymentRow, PaymentState } from '../../../db/schema.ts'
import { newId } from '../../ids.ts'

export interface NewPayment {
  /** Default: a new id. */
  id?: string
  accountId: string
  method: string
  state?: PaymentRow['state']
  cents: number
  key?: string
  sessionId?: string
  intentId?: string
  data?: PaymentData
}

export interface PaymentData {
  /** The package that was bought. */
  tier?: string | undefined
  /** The bonus of the price book at the time of purchase; of a credited payment, the bonus that it got. */
  bonusMicros?: number | undefined
  /** What was received, in cents. */
  paidCents?: number | undefined
  /** Why the payment has its state, in a sentence. */
  reason?: string | undefined
}

export async function insertPayment(db: Kysely<Database>, payment: NewPayment): Promise<PaymentRow> {
  const row = rowOf(payment)
  await db.insertInto('payments').values(row).execute()
  return row
}

function rowOf(payment: NewPayment): PaymentRow {
  const now = Date.now()
  return {
    id: payment.id ?? newId(),
    account_id: payment.accountId,
    method: payment.method,
    state: payment.state ?? 'open',
    cents: payment.cents,
    key: payment.key ?? null,
    session_id: payment.sessionId ?? null,
    intent_id: payment.intentId ?? null,
    created_at: now,
    updated_at: now,
    data: JSON.stringify(payment.data ?? {}),
  }
}

/**
 * Returns the payment of a PaymentIntent, and inserts it where there is none: of several servers that learn of the
 * intent at once, one does.
 */
export async function findOrInsertPayment(
  db: Kysely<Database>,
  payment: NewPayment & { intentId: string },
): Promise<PaymentRow> {
  await db
    .insertInto('payments')
    .values(rowOf(payment))
    .onConflict((conflict) => conflict.column('intent_id').doNothing())
    .execute()
  return (await findPayment(db, 'intent_id', payment.intentId))!
}

/** Returns the payment with the provider's id, or with our own; undefined when there is none. */
export function findPayment(
  db: Kysely<Database>,
  column: 'id' | 'session_id' | 'intent_id',
  value: string,
): Promise<PaymentRow | undefined> {
  return db.selectFrom('payments').selectAll().where(column, '=', value).executeTakeFirst()
}

/**
 * Changes a payment. A state that is final for what reports the change stays: what Stripe says of a session that is
 * open or expired can be older than the money that was received meanwhile. Fields of `data` that are not given stay.
 */
export async function updatePayment(
  db: Kysely<Database>,
  row: PaymentRow,
  change: Pick<Updateable<PaymentRow>, 'state' | 'key' | 'session_id' | 'intent_id'> & { data?: PaymentData },
): Promise<void> {
  const { data, ...columns } = change
  const final = change.state === undefined ? [] : finalFor(change.state)
  // Others may add to `data` meanwhile.
  for (let before: PaymentRow | undefined = row; before;) {
    let update = db
      .updateTable('payments')
      .set({ ...columns, updated_at: Date.now() })
      .where('id', '=', row.id)
    if (data)
      update = update.set({ data: JSON.stringify({ ...dataOf(before), ...data }) }).where('data', '=', before.data)
    if (final.length > 0) update = update.where('state', 'not in', final)
    const { numUpdatedRows } = await update.executeTakeFirstOrThrow()
    if (numUpdatedRows > 0n || !data) return
    const now = await findPayment(db, 'id', row.id)
    if (now?.data === before.data) return
    before = now
  }
}

/** Returns the states that a change to `state` leaves as they are. */
function finalFor(state: PaymentState): PaymentState[] {
  if (state === 'paid') return []
  return state === 'review' || state === 'dismissed' ? ['paid', 'dismissed'] : ['paid', 'dismissed', 'review']
}

/**
 * Returns a payment, and locks it until the transaction ends, also against other servers; undefined when there is none.
 */
export function lockPayment(trx: Transaction<Database>, id: string): Promise<PaymentRow | undefined> {
  // An update that changes nothing takes a lock on every database; a transaction that begins by reading could lose its
  // turn.
  return trx
    .updateTable('payments')
    .set((eb) => ({ updated_at: eb.ref('updated_at') }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
}

export function dataOf({ data }: PaymentRow): PaymentData {
  return JSON.parse(data) as PaymentData
}
