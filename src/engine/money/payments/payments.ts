import type { Kysely, Updateable } from 'kysely'
import type { Database, PaymentRow } from '../../../db/schema.ts'
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
  const now = Date.now()
  const row: PaymentRow = {
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
  await db.insertInto('payments').values(row).execute()
  return row
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
 * Changes a payment. One that is paid or dismissed keeps its state, unless the change is that it is paid. Fields of
 * `data` that are not given stay.
 */
export async function updatePayment(
  db: Kysely<Database>,
  row: PaymentRow,
  change: Pick<Updateable<PaymentRow>, 'state' | 'key' | 'session_id' | 'intent_id'> & { data?: PaymentData },
): Promise<void> {
  const { data, ...columns } = change
  let update = db
    .updateTable('payments')
    .set({ ...columns, updated_at: Date.now() })
    .where('id', '=', row.id)
  if (data) update = update.set({ data: JSON.stringify({ ...dataOf(row), ...data }) })
  if (change.state !== undefined && change.state !== 'paid')
    update = update.where('state', 'not in', ['paid', 'dismissed'])
  await update.execute()
}

export function dataOf({ data }: PaymentRow): PaymentData {
  return JSON.parse(data) as PaymentData
}
