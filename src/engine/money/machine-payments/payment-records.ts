import type { Kysely, Transaction } from 'kysely'
import { transaction } from '../../../db/transaction.ts'
import type { Database, MachinePaymentRow } from '../../../db/schema.ts'
import type { Challenge } from './payment-library.ts'

export type NewPayment = Pick<MachinePaymentRow, 'method' | 'reference'> & { challenge: Challenge }

export function findPayment(db: Kysely<Database>, challengeId: string): Promise<MachinePaymentRow | undefined> {
  return db.selectFrom('machine_payments').selectAll().where('challenge_id', '=', challengeId).executeTakeFirst()
}

/**
 * Records, on the disk, that money is about to move for a challenge. Returns `begun` when the same payment is to be
 * sent once more, and `taken` when another payment answers this challenge, or this payment another challenge.
 */
export async function beginPayment(db: Kysely<Database>, payment: NewPayment): Promise<'new' | 'begun' | 'taken'> {
  const row = rowOf(payment)
  return transaction(db, 'durable', async (trx) => {
    const { numInsertedOrUpdatedRows } = await trx
      .insertInto('machine_payments')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst()
    if (numInsertedOrUpdatedRows === 1n) return 'new'
    // From now on whoever began it first cannot know any more that nothing was sent.
    const begun = await trx
      .updateTable('machine_payments')
      .set((eb) => ({ looked_at: eb('created_at', '+', 1) }))
      .where('challenge_id', '=', row.challenge_id)
      .where('reference', '=', row.reference)
      .executeTakeFirst()
    return begun.numUpdatedRows === 1n ? 'begun' : 'taken'
  })
}

/**
 * Deletes the record of a payment that this server began and sent nothing of: the challenge can be answered again. Keeps
 * it when the payment was begun again or looked for meanwhile, as another server can have sent it.
 */
export async function abandonPayment(db: Kysely<Database>, challengeId: string): Promise<void> {
  await db
    .deleteFrom('machine_payments')
    .where('challenge_id', '=', challengeId)
    .where('state', '=', 'pending')
    .whereRef('looked_at', '=', 'created_at')
    .execute()
}

/** Records a payment as paid, in the transaction that credits it. */
export async function recordPaid(trx: Transaction<Database>, payment: NewPayment, receipt: string): Promise<void> {
  await trx
    .insertInto('machine_payments')
    .values({ ...rowOf(payment), state: 'paid', receipt })
    .onConflict((conflict) => conflict.column('challenge_id').doUpdateSet({ state: 'paid', receipt }))
    .execute()
}

/** Records that the money of a payment did not arrive, unless it is known to have arrived. */
export async function recordFailed(db: Kysely<Database>, challengeId: string): Promise<void> {
  await db
    .updateTable('machine_payments')
    .set({ state: 'failed' })
    .where('challenge_id', '=', challengeId)
    .where('state', '=', 'pending')
    .execute()
}

/** Returns the row of a payment. The challenge says what it buys, and the client cannot change that. */
function rowOf({ method, reference, challenge }: NewPayment): MachinePaymentRow {
  const { account, cents, bonus } = challenge.meta!
  const now = Date.now()
  return {
    challenge_id: challenge.id,
    account_id: account!,
    method,
    reference,
    challenge: JSON.stringify(challenge),
    amount_cents: Number(cents),
    bonus_micros: Number(bonus),
    state: 'pending',
    receipt: null,
    created_at: now,
    looked_at: now,
  }
}
