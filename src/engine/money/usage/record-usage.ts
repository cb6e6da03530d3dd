import { setImmediate as turn } from 'node:timers/promises'
import type { Kysely, Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import type { PriceBook } from '../../../config/price-book.ts'
import { durableTransaction } from '../../../db/durable-transaction.ts'
import { noComputer, type Database, type Meter, type UsageIntervalRow } from '../../../db/schema.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { divide, lockBalances } from '../ledger/balance.ts'
import { creditOf, revenueOf, unbilled, writeOff } from '../ledger/books.ts'
import { chunks } from '../../../db/chunks.ts'
import { postTransactions, type Entry, type Posting } from '../ledger/post.ts'
import { writeMarks } from './cpu-marks.ts'
import type { CpuMark } from './metered-computer.ts'
import { priceUsage, type Remainder } from './price-usage.ts'
import { addToTotals } from './usage-totals.ts'

/** What was used in a stretch of time that is over. */
export interface UsagePiece {
  /** The economic fact: `usage:<computer>:<meter>:<start>`. */
  id: string
  accountId: string
  /** null for what no computer used. */
  computerId: string | null
  meter: Meter
  startedAtMs: number
  endedAtMs: number
  /** In the meter's unit; whole, and at least 0. */
  quantity: number
  /** Who had it done, where that is known. */
  tokenId: string | null
  label: string | null
}

export interface UsageRules {
  prices: PriceBook
  /** Who pays nothing: his usage is priced and shown all the same. */
  isUnbilled: (accountId: string) => boolean
}

/**
 * Prices pieces of usage and charges them, each one once however often it comes; they are on the disk when this
 * resolves. What an account's credit does not cover is written off: work that was done is never charged below the
 * overdraft. Gives the credit that each billed account has left. An account that comes below the price book's low
 * balance, or runs empty, gets an event.
 */
export async function recordUsage(
  db: Kysely<Database>,
  rules: UsageRules,
  pieces: readonly UsagePiece[],
  marks: readonly CpuMark[] = [],
): Promise<Map<string, number>> {
  const left = new Map<string, number>()
  const unwritten = new Map(marks.map((mark) => [mark.computerId, mark]))
  for (const [index, some] of inSteps(pieces).entries()) {
    // The database works on this thread: others come between.
    if (index > 0) await turn()
    const computerIds = new Set(some.flatMap(({ computerId }) => computerId ?? []))
    const ofThese = [...computerIds].flatMap((id) => unwritten.get(id) ?? [])
    const balances = await durableTransaction(db, async (trx) => {
      await writeMarks(trx, ofThese)
      return recordSome(trx, rules, some)
    })
    for (const { computerId } of ofThese) unwritten.delete(computerId)
    for (const [accountId, balanceMicros] of balances) left.set(accountId, balanceMicros)
  }
  for (const some of chunks([...unwritten.values()])) await db.transaction().execute((trx) => writeMarks(trx, some))
  return left
}

/**
 * What a computer used, where it follows each other, is written in one step if it can be: its mark says that all of it
 * was.
 */
function inSteps(pieces: readonly UsagePiece[]): UsagePiece[][] {
  const steps: UsagePiece[][] = []
  let step: UsagePiece[] = []
  for (const [index, piece] of pieces.entries()) {
    const maxInStep =
      pieces[index - 1]?.computerId === piece.computerId ? 3 * limits.usagePiecesAtOnce : limits.usagePiecesAtOnce
    if (index === 0 || step.length >= maxInStep) steps.push((step = []))
    step.push(piece)
  }
  return steps
}

async function recordSome(
  trx: Transaction<Database>,
  { prices, isUnbilled }: UsageRules,
  pieces: UsagePiece[],
): Promise<Map<string, number>> {
  const fresh = await withoutRecorded(trx, pieces)
  if (fresh.length === 0) return new Map()
  const accounts = [...new Set(fresh.map(({ accountId }) => accountId))]
  const remainders = await readRemainders(trx, accounts)
  const before = await lockBalances(
    trx,
    accounts.filter((accountId) => !isUnbilled(accountId)),
  )
  const left = new Map(before)
  const rows: UsageIntervalRow[] = []
  const postings: Posting[] = []
  for (const piece of fresh) {
    const key = remainderKey(piece)
    const priced = priceUsage(piece.quantity, prices.meters[piece.meter], remainders.get(key))
    remainders.set(key, priced)
    rows.push(rowOf(piece, priced.amountMicros))
    if (priced.amountMicros === 0) continue
    const balance = left.get(piece.accountId)
    if (balance === undefined) {
      postings.push(postingOf(piece, priced.amountMicros, [{ book: unbilled, amountMicros: -priced.amountMicros }]))
      continue
    }
    const { takenMicros, shortMicros } = divide(priced.amountMicros, balance, prices.overdraftMicros)
    left.set(piece.accountId, balance - takenMicros)
    const payers = [
      { book: creditOf(piece.accountId), amountMicros: -takenMicros },
      { book: writeOff, amountMicros: -shortMicros },
    ]
    postings.push(
      postingOf(
        piece,
        priced.amountMicros,
        payers.filter(({ amountMicros }) => amountMicros !== 0),
      ),
    )
  }
  await trx.insertInto('usage_intervals').values(rows).execute()
  await addToTotals(trx, rows)
  await writeRemainders(trx, fresh, remainders)
  await postTransactions(trx, postings, prices.overdraftMicros)
  await tellOfLowCredit(trx, prices, before, left)
  return left
}

function postingOf(piece: UsagePiece, amountMicros: number, payers: Entry[]): Posting {
  return {
    key: piece.id,
    kind: 'usage',
    accountId: piece.accountId,
    entries: [...payers, { book: revenueOf(piece.meter), amountMicros }],
  }
}

async function withoutRecorded(trx: Transaction<Database>, pieces: UsagePiece[]): Promise<UsagePiece[]> {
  const distinct = new Map(pieces.map((piece) => [piece.id, piece]))
  const known = await trx
    .selectFrom('usage_intervals')
    .select('id')
    .where('id', 'in', [...distinct.keys()])
    .execute()
  for (const { id } of known) distinct.delete(id)
  return [...distinct.values()]
}

async function readRemainders(trx: Transaction<Database>, accountIds: string[]): Promise<Map<string, Remainder>> {
  const rows = await trx.selectFrom('usage_remainders').selectAll().where('account_id', 'in', accountIds).execute()
  return new Map(
    rows.map(({ account_id: accountId, meter, remainder, per }) => [
      remainderKey({ accountId, meter }),
      { remainder: Number(remainder), per: Number(per) },
    ]),
  )
}

async function writeRemainders(
  trx: Transaction<Database>,
  pieces: UsagePiece[],
  remainders: Map<string, Remainder>,
): Promise<void> {
  const distinct = new Map(pieces.map((piece) => [remainderKey(piece), piece]))
  await trx
    .insertInto('usage_remainders')
    .values(
      [...distinct].map(([key, { accountId, meter }]) => {
        const { remainder, per } = remainders.get(key)!
        return { account_id: accountId, meter, remainder, per }
      }),
    )
    .onConflict((conflict) =>
      conflict
        .columns(['account_id', 'meter'])
        .doUpdateSet((eb) => ({ remainder: eb.ref('excluded.remainder'), per: eb.ref('excluded.per') })),
    )
    .execute()
}

const remainderKey = ({ accountId, meter }: Pick<UsagePiece, 'accountId' | 'meter'>) => `${accountId}/${meter}`

/** At the moment in which a balance goes below a mark, and never again until it was above it. */
async function tellOfLowCredit(
  trx: Transaction<Database>,
  { lowBalanceMicros, overdraftMicros }: PriceBook,
  before: Map<string, number>,
  after: Map<string, number>,
): Promise<void> {
  const now = Date.now()
  for (const [accountId, balanceMicros] of after) {
    const fell = (markMicros: number) => before.get(accountId)! > markMicros && balanceMicros <= markMicros
    const event = { accountId, actor: 'billing', data: { balanceMicros } }
    const isLow = fell(lowBalanceMicros)
    if (isLow) await appendEvent(trx, { ...event, type: 'account.credit_low', atMs: now })
    // Who falls below both at once is warned first, also by the times.
    if (fell(-overdraftMicros))
      await appendEvent(trx, { ...event, type: 'account.credit_exhausted', atMs: isLow ? now + 1 : now })
  }
}

function rowOf(piece: UsagePiece, amountMicros: number): UsageIntervalRow {
  return {
    id: piece.id,
    account_id: piece.accountId,
    computer_id: piece.computerId ?? noComputer,
    meter: piece.meter,
    started_at: piece.startedAtMs,
    ended_at: piece.endedAtMs,
    quantity: piece.quantity,
    amount_micros: amountMicros,
    token_id: piece.tokenId,
    label: piece.label,
  }
}
