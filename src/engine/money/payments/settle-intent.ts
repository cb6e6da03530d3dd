import type { Stripe } from 'stripe'
import { asCarrelError } from '../../../errors.ts'
import { creditLeft } from '../credit/credit-left.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { refund } from '../ledger/refund.ts'
import { reverse } from '../ledger/reverse.ts'
import { creditIntent, keyOf } from './credit-intent.ts'
import { stripeFailure, type StripeAccount } from './open-stripe.ts'
import type { MoneyContext } from '../money.ts'
import type { Context } from '../../context.ts'

/**
 * Brings the books to where Stripe has a PaymentIntent, its refunds and its disputes, in whatever order they are told
 * of. Rejects with `unavailable` when Stripe does not answer.
 */
export async function settleIntent(engine: MoneyContext, { client }: StripeAccount, intentId: string): Promise<void> {
  const { intent, takings } = await look(client, intentId).catch((error: unknown) => {
    throw stripeFailure('look at the payment', error)
  })
  if (!(await creditIntent(engine, intent))) return
  await engine.locks.run(keyOf(intentId), async () => {
    for (const taking of takings) await settleTaking(engine, intentId, taking)
  })
}

/** Money that went back to who paid, or was taken for them. */
interface Taking {
  /** Its key in the books: `stripe:re:<id>` or `stripe:dp:<id>`. */
  key: string
  cents: number
  reason: string
  /** False when it came to nothing: a refund that failed, a dispute that was won. */
  isTaken: boolean
}

async function look(client: Stripe, intentId: string) {
  const intent = await client.paymentIntents.retrieve(intentId)
  const takings: Taking[] = []
  const query = { payment_intent: intentId, limit: 100 }
  for await (const { id, amount: cents, status } of client.refunds.list(query))
    takings.push({
      key: `stripe:re:${id}`,
      cents,
      reason: 'refund',
      isTaken: status !== 'failed' && status !== 'canceled',
    })
  for await (const { id, amount: cents, status } of client.disputes.list(query))
    takings.push({ key: `stripe:dp:${id}`, cents, reason: 'dispute', isTaken: takesMoney.has(status) })
  // What came to nothing first: it makes room for the rest.
  return { intent, takings: takings.toSorted((a, b) => Number(a.isTaken) - Number(b.isTaken)) }
}

/**
 * Stripe takes the money when a dispute begins, and gives it back when that is won. An inquiry (`warning_…`) takes
 * nothing.
 */
const takesMoney = new Set<string>([
  'needs_response',
  'under_review',
  'lost',
  'appeal_needs_response',
  'appeal_under_review',
])

async function settleTaking(engine: MoneyContext, intentId: string, taking: Taking): Promise<void> {
  const { db, prices } = engine
  const taken = await findTransaction(engine, taking.key)
  const givenBack = await findTransaction(engine, `reversal:${taking.key}`)
  if (taking.isTaken === (taken !== undefined && givenBack === undefined)) return
  if (taking.isTaken && givenBack)
    return engine.log.error({ key: taking.key }, 'Stripe took money again that it had given back: nothing is posted')
  const what = taking.isTaken
    ? await take(engine, keyOf(intentId), taking)
    : await reverse(db, prices, { key: taking.key, reason: `${taking.reason} came to nothing` })
  if (!what?.isNew) return
  const accountId = (taken ?? (await findTransaction(engine, taking.key)))!.account_id
  const type = taking.isTaken ? 'payment.taken_back' : 'payment.given_back'
  const data = { intent: intentId, key: taking.key, cents: taking.cents, reason: taking.reason }
  await appendEvent(db, { accountId, type, actor: 'stripe', data })
  await creditLeft(engine, accountId)
}

/** More than is left of a payment (a refund and a dispute of the same money) takes what is left. */
async function take(
  engine: Pick<MoneyContext, 'db' | 'log' | 'prices'>,
  paymentKey: string,
  { key, cents, reason }: Taking,
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
