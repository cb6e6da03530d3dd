import { setImmediate as turn } from 'node:timers/promises'
import type { Kysely, Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import type { PriceBook } from '../../../config/price-book.ts'
import { transaction } from '../../../db/transaction.ts'
import { noComputer, type Database, type Meter, type UsageIntervalRow } from '../../../db/schema.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { splitAmount, lockBalances } from '../ledger/balance.ts'
import { creditOf, revenueOf, unbilled, writeOff } from '../ledger/books.ts'
import { chunks } from '../../../db/chunks.ts'
import { postTransactions, type Entry, type Posting } from '../ledger/post.ts'
import { writeSnapshots } from './cpu-snapshots.ts'
import type { CpuSnapshot } from './metered-computer.ts'
import { priceUsage, type Remainder } from './price-usage.ts'
import { assertHoldsNode } from '../../nodes/holds-node.ts'
import type { ThisNode } from '../../nodes/this-node.ts'
import { addToTotals } from './usage-totals.ts'

/** What was used in a span of time that is over. */
export interface UsageInterval {
  /** The key of the economic fact: `usage:<computer>:<meter>:<start>`. */
  id: string
  accountId: string
  /** null for what no computer used. */
  computerId: string | null
  meter: Meter
  startedAtMs: number
  endedAtMs: number
  /** In the meter's unit; a whole number of at least 0. */
  quantity: number
  /** The token that the work was done for; null where unknown. */
  tokenId: string | null
  label: string | null
}

export interface UsageRules {
  prices: PriceBook
  /** Returns whether an account pays nothing: its usage is still priced and shown. */
  isUnbilled: (accountId: string) => boolean
  /** Where given, nothing is recorded once another server has claimed this server's node: that one charges the usage. */
  node?: ThisNode | undefined
}

/**
 * Prices intervals of usage and charges them, each one once however often it is passed; they are on the disk when this
 * resolves, together with the snapshots. What an account's credit does not cover is written off: no charge goes below
 * the overdraft. Returns the credit that each billed account has left. An account that falls below the price book's low
 * balance, or runs empty, gets an event.
 */
export async function recordUsage(
  db: Kysely<Database>,
  rules: UsageRules,
  intervals: readonly UsageInterval[],
  snapshots: readonly CpuSnapshot[] = [],
): Promise<Map<string, number>> {
  const left = new Map<string, number>()
  const unwritten = new Map(snapshots.map((snapshot) => [snapshot.computerId, snapshot]))
  for (const [index, some] of inSteps(intervals).entries()) {
    // The database works on this thread: let other work run in between.
    if (index > 0) await turn()
    const computerIds = new Set(some.flatMap(({ computerId }) => computerId ?? []))
    const due = [...computerIds].flatMap((id) => unwritten.get(id) ?? [])
    const balances = await transaction(db, { kind: 'durable', queue: charges }, async (trx) => {
      if (rules.node) await assertHoldsNode(trx, rules.node)
      await writeSnapshots(trx, due)
      return recordSome(trx, rules, some)
    })
    for (const { computerId } of due) unwritten.delete(computerId)
    for (const [accountId, balanceMicros] of balances) left.set(accountId, balanceMicros)
  }
  for (const some of chunks([...unwritten.values()]))
    await transaction(db, { kind: 'operational', queue: charges }, async (trx) => {
      if (rules.node) await assertHoldsNode(trx, rules.node)
      await writeSnapshots(trx, some)
    })
  return left
}

/**
 * Divides intervals into the steps of a transaction each. Consecutive intervals of a computer are kept in one step if
 * possible, since the computer's snapshot covers all of them.
 */
function inSteps(intervals: readonly UsageInterval[]): UsageInterval[][] {
  const steps: UsageInterval[][] = []
  let step: UsageInterval[] = []
  for (const [index, interval] of intervals.entries()) {
    const maxInStep =
      intervals[index - 1]?.computerId === interval.computerId
        ? 3 * limits.usageIntervalsAtOnce
        : limits.usageIntervalsAtOnce
    if (index === 0 || step.length >= maxInStep) steps.push((step = []))
    step.push(interval)
  }
  return steps
}

async function recordSome(
  trx: Transaction<Database>,
  { prices, isUnbilled }: UsageRules,
  intervals: UsageInterval[],
): Promise<Map<string, number>> {
  const fresh = await selectUnrecorded(trx, intervals)
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
  for (const interval of fresh) {
    const key = remainderKey(interval)
    const priced = priceUsage(interval.quantity, prices.meters[interval.meter], remainders.get(key))
    remainders.set(key, priced)
    rows.push(rowOf(interval, priced.amountMicros))
    if (priced.amountMicros === 0) continue
    const balance = left.get(interval.accountId)
    if (balance === undefined) {
      postings.push(postingOf(interval, priced.amountMicros, [{ book: unbilled, amountMicros: -priced.amountMicros }]))
      continue
    }
    const { takenMicros, shortMicros } = splitAmount(priced.amountMicros, balance, prices.overdraftMicros)
    left.set(interval.accountId, balance - takenMicros)
    const payers = [
      { book: creditOf(interval.accountId), amountMicros: -takenMicros },
      { book: writeOff, amountMicros: -shortMicros },
    ]
    postings.push(
      postingOf(
        interval,
        priced.amountMicros,
        payers.filter(({ amountMicros }) => amountMicros !== 0),
      ),
    )
  }
  await trx.insertInto('usage_intervals').values(rows).execute()
  await addToTotals(trx, rows)
  await writeRemainders(trx, fresh, remainders)
  await postTransactions(trx, postings, prices.overdraftMicros)
  await recordLowCredit(trx, prices, before, left)
  return left
}

function postingOf(interval: UsageInterval, amountMicros: number, payers: Entry[]): Posting {
  return {
    key: interval.id,
    kind: 'usage',
    accountId: interval.accountId,
    entries: [...payers, { book: revenueOf(interval.meter), amountMicros }],
  }
}

async function selectUnrecorded(trx: Transaction<Database>, intervals: UsageInterval[]): Promise<UsageInterval[]> {
  const distinct = new Map(intervals.map((interval) => [interval.id, interval]))
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
  intervals: UsageInterval[],
  remainders: Map<string, Remainder>,
): Promise<void> {
  const distinct = new Map(intervals.map((interval) => [remainderKey(interval), interval]))
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

const remainderKey = ({ accountId, meter }: Pick<UsageInterval, 'accountId' | 'meter'>) => `${accountId}/${meter}`

/** Appends an event when a balance falls below a threshold, and none again until it has been above it. */
async function recordLowCredit(
  trx: Transaction<Database>,
  { lowBalanceMicros, overdraftMicros }: PriceBook,
  before: Map<string, number>,
  after: Map<string, number>,
): Promise<void> {
  const now = Date.now()
  for (const [accountId, balanceMicros] of after) {
    const fellBelow = (thresholdMicros: number) =>
      before.get(accountId)! > thresholdMicros && balanceMicros <= thresholdMicros
    const event = { accountId, actor: 'billing', data: { balanceMicros } }
    const isLow = fellBelow(lowBalanceMicros)
    if (isLow) await appendEvent(trx, { ...event, type: 'account.credit_low', atMs: now })
    // An account that falls below both at once is warned first, by the times of the events too.
    if (fellBelow(-overdraftMicros))
      await appendEvent(trx, { ...event, type: 'account.credit_exhausted', atMs: isLow ? now + 1 : now })
  }
}

function rowOf(interval: UsageInterval, amountMicros: number): UsageIntervalRow {
  return {
    id: interval.id,
    account_id: interval.accountId,
    computer_id: interval.computerId ?? noComputer,
    meter: interval.meter,
    started_at: interval.startedAtMs,
    ended_at: interval.endedAtMs,
    quantity: interval.quantity,
    amount_micros: amountMicros,
    token_id: interval.tokenId,
    label: interval.label,
  }
}

/** Charges wait for no sign-ins, and for no work of any account. */
const charges = 'charges'
