import type { Stripe } from 'stripe'
import { asCarrelError } from '../../../errors.ts'
import { creditLeft } from '../credit/credit-left.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { refund } from '../ledger/refund.ts'
import { reverse } from '../ledger/reverse.ts'
import { creditIntent, keyOf } from './credit-intent.ts'
import { stripeFailure, type StripeAccount } from './open-stripe.ts'
import type { MoneyContext, PostingContext } from '../money.ts'
import type { Context } from '../../context.ts'

/**
 * Brings the ledger to the state of a PaymentIntent at Stripe, with its refunds and disputes, in whatever order they
 * are reported. Throws `unavailable` when Stripe does not answer.
 */
export async function settleIntent(engine: PostingContext, { client }: StripeAccount, intentId: string): Promise<void> {
  const { intent, withdrawals } = await fetchIntent(client, intentId).catch((error: unknown) => {
    throw stripeFailure('check the payment', error)
  })
  if (!(await creditIntent(engine, intent))) return
  await engine.locks.intent(intentId, async () => {
    for (const withdrawal of withdrawals) await settleWithdrawal(engine, intentId, withdrawal)
  })
}

/** Money that went back to the payer, by a refund or a dispute. */
interface Withdrawal {
  /** The key in the ledger: `stripe:re:<id>` or `stripe:dp:<id>`. */
  key: string
  cents: number
  reason: string
  /** False for a refund that failed and for a dispute that was won. */
  isTaken: boolean
}

/** Fetches a PaymentIntent with its refunds and disputes. */
async function fetchIntent(client: Stripe, intentId: string) {
  const intent = await client.paymentIntents.retrieve(intentId)
  const withdrawals: Withdrawal[] = []
  const query = { payment_intent: intentId, limit: 100 }
  for await (const { id, amount: cents, status } of client.refunds.list(query))
    withdrawals.push({
      key: `stripe:re:${id}`,
      cents,
      reason: 'refund',
      isTaken: status !== 'failed' && status !== 'canceled',
    })
  for await (const { id, amount: cents, status } of client.disputes.list(query))
    withdrawals.push({ key: `stripe:dp:${id}`, cents, reason: 'dispute', isTaken: takesMoney.has(status) })
  // Those that are not taken come first: they make room for the rest.
  return { intent, withdrawals: withdrawals.toSorted((a, b) => Number(a.isTaken) - Number(b.isTaken)) }
}

/**
 * The states of a dispute in which Stripe has taken the money; it gives the money back when the dispute is won. An
 * inquiry (`warning_…`) takes nothing.
 */
const takesMoney = new Set<string>([
  'needs_response',
  'under_review',
  'lost',
  'appeal_needs_response',
  'appeal_under_review',
])

async function settleWithdrawal(engine: PostingContext, intentId: string, withdrawal: Withdrawal): Promise<void> {
  const { db, prices } = engine
  const taken = await findTransaction(engine, withdrawal.key)
  const givenBack = await findTransaction(engine, `reversal:${withdrawal.key}`)
  if (withdrawal.isTaken === (taken !== undefined && givenBack === undefined)) return
  if (withdrawal.isTaken && givenBack)
    return engine.log.error(
      { key: withdrawal.key },
      'Stripe took money again that it had given back: nothing is posted',
    )
  const what = withdrawal.isTaken
    ? await withdraw(engine, keyOf(intentId), withdrawal)
    : await reverse(db, prices, { key: withdrawal.key, reason: `${withdrawal.reason} came to nothing` })
  if (!what?.isNew) return
  const accountId = (taken ?? (await findTransaction(engine, withdrawal.key)))!.account_id
  const type = withdrawal.isTaken ? 'payment.taken_back' : 'payment.given_back'
  const data = { intent: intentId, key: withdrawal.key, cents: withdrawal.cents, reason: withdrawal.reason }
  await appendEvent(db, { accountId, type, actor: 'stripe', data })
  await creditLeft(engine, accountId)
}

/** Takes the money from the account; at most what is left of the payment, when a refund and a dispute overlap. */
async function withdraw(
  engine: Pick<MoneyContext, 'db' | 'log' | 'prices'>,
  paymentKey: string,
  { key, cents, reason }: Withdrawal,
) {
  const { db, prices, log } = engine
  try {
    return await refund(db, prices, { paymentKey, key, amountCents: cents, reason })
  } catch (error) {
    const { code, details } = asCarrelError(error)
    if (code !== 'conflict') throw error
    const leftCents = Number(details.leftCents)
    log.error({ key, cents, leftCents }, 'Stripe took more than is left of a payment')
    return leftCents > 0 ? refund(db, prices, { paymentKey, key, amountCents: leftCents, reason }) : undefined
  }
}

function findTransaction({ db }: Pick<Context, 'db'>, key: string) {
  return db.selectFrom('ledger_transactions').select('account_id').where('key', '=', key).executeTakeFirst()
}
