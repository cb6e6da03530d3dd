import { creditReview, dismissReview, listReviews, type Review } from '../engine/money/payments/reviews.ts'
import { openLedger } from './open-ledger.ts'

interface Options {
  asJson: boolean
  /** The payment to settle; undefined to list the payments held for review. */
  paymentId?: string | undefined
  /** The amount to credit; undefined to dismiss the payment. */
  cents?: number | undefined
}

/** Lists the payments held for review, or settles one. Resolves with the exit code. */
export async function review({ asJson, paymentId, cents }: Options): Promise<number> {
  await using ledger = await openLedger('review payments', { readOnly: paymentId === undefined })
  const { db, prices } = ledger
  if (paymentId === undefined) {
    const found = await listReviews(db)
    return print(asJson, { payments: found }, textOf(found))
  }
  if (cents === undefined) {
    const { isNew } = await dismissReview(db, paymentId)
    return print(asJson, { paymentId, isNew }, isNew ? 'Dismissed.\n' : 'The payment was dismissed before.\n')
  }
  const { isNew, balanceMicros } = await creditReview(db, prices, paymentId, cents)
  const done = isNew ? 'Credited' : 'The payment was credited before with'
  return print(
    asJson,
    { paymentId, isNew, creditsRemaining: balanceMicros / 1_000_000 },
    `${done} ${dollars(cents)}: the account has ${dollars(Math.floor(balanceMicros / 10_000))}.\n`,
  )
}

function print(asJson: boolean, answer: object, text: string): number {
  process.stdout.write(asJson ? `${JSON.stringify(answer)}\n` : text)
  return 0
}

function textOf(found: Review[]): string {
  if (found.length === 0) return 'No payment is held for review.\n'
  return found.map((one) => `${linesOf(one).join('\n  ')}\n`).join('')
}

function linesOf({ paymentId, accountId, accountName, method, cents, intentId, reason, createdAtMs }: Review) {
  const account = accountName === undefined ? `${accountId} (deleted)` : `${accountId} ${JSON.stringify(accountName)}`
  return [
    `${paymentId}  ${new Date(createdAtMs).toISOString()}`,
    `${reason}; ${dollars(cents)} was requested`,
    `account ${account}`,
    `${method} ${intentId}`,
  ]
}

function dollars(cents: number): string {
  return `$${(cents / 100).toFixed(2)}`
}
