import { limits } from '../../../config/limits.ts'
import type { MachinePaymentRow } from '../../../db/schema.ts'
import { creditPayment, earlierResult, type PaidTopUp } from './credit-payment.ts'
import { loadPaymentLibrary, type Challenge, type PaymentLibrary } from './payment-library.ts'
import { findPayment, recordFailed } from './payment-records.ts'
import { paymentMethods } from './payment-methods.ts'
import { receiptOf, tempoMethod } from './tempo-method.ts'
import type { PostingContext } from '../money.ts'

/** Credits a payment when its money has arrived. Returns undefined when it has not, or not yet. */
export async function settlePayment(
  engine: PostingContext,
  library: PaymentLibrary,
  row: MachinePaymentRow,
): Promise<PaidTopUp | undefined> {
  if (row.state === 'paid') return earlierResult(engine, row)
  if (row.state === 'failed' || row.method !== 'tempo') return undefined
  const { db, log } = engine
  const { challenge_id: challengeId, reference } = row
  await db
    .updateTable('machine_payments')
    .set({ looked_at: Date.now() })
    .where('challenge_id', '=', challengeId)
    .execute()
  const challenge = JSON.parse(row.challenge) as Challenge
  const found = await tempoMethod(engine, library).confirm(challenge, reference as `0x${string}`)
  if (found.state === 'paid') {
    const receipt = library.Receipt.serialize(receiptOf(reference))
    return creditPayment(engine, { method: 'tempo', reference, challenge, receipt })
  }
  const isOver = Date.now() - Number(row.created_at) > limits.paymentPendingMs
  if (found.state === 'failed' || isOver) {
    const reason = found.state === 'failed' ? found.reason : 'it was never included in a block'
    log.error({ challenge: challengeId, transaction: reference, reason }, 'a payment failed')
    await recordFailed(db, challengeId)
  }
  return undefined
}

/** Checks payments whose outcome is unknown, at intervals that double each time. Without any this costs one query. */
export async function settlePending(engine: PostingContext): Promise<void> {
  const { db, log, settings } = engine
  if (!paymentMethods(settings).includes('tempo')) return
  const now = Date.now()
  const rows = await db
    .selectFrom('machine_payments')
    .selectAll()
    .where('state', '=', 'pending')
    .where((eb) => eb(eb(eb.val(now), '-', eb.ref('looked_at')), '>=', eb('looked_at', '-', eb.ref('created_at'))))
    .orderBy('looked_at')
    .limit(limits.paymentsAtOnce)
    .execute()
  for (const { challenge_id: id } of rows) {
    if (engine.server.stopping.aborted) return
    const library = await loadPaymentLibrary()
    await engine.locks
      .challenge(id, async () => {
        const row = await findPayment(db, id)
        if (row?.state === 'pending') await settlePayment(engine, library, row)
      })
      .catch((error: unknown) => log.error({ err: error, challenge: id }, 'cannot check a payment'))
  }
}
