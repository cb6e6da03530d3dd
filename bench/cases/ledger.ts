import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Kysely } from 'kysely'
import { defaultPrices } from '../../src/config/price-book.ts'
import { transaction } from '../../src/db/transaction.ts'
import { openDatabase } from '../../src/db/open.ts'
import type { Database } from '../../src/db/schema.ts'
import { creditOf, revenueOf } from '../../src/engine/money/ledger/books.ts'
import { grantFirstCredit } from '../../src/engine/money/ledger/grant.ts'
import { postTransactions } from '../../src/engine/money/ledger/post.ts'
import { verifyBooks } from '../../src/engine/money/ledger/verify-books.ts'
import { recordUsage } from '../../src/engine/money/usage/record-usage.ts'
import type { BenchCase } from '../support/case.ts'
import type { Outcome } from '../support/measurement.ts'
import { Postgres } from '../support/postgres.ts'
import { benchData } from '../support/settings.ts'
import { summarize, type Summary } from '../support/statistics.ts'

const batch = 500
const accounts = Array.from({ length: 1000 }, (_, index) => `a${index}`)

/** The ledger alone, on disk: postings in batches, and the charge of a minute of many running computers. */
export const ledger: BenchCase = {
  name: 'ledger',
  about: 'postings a second, and the time to charge 1,000 running computers',
  async run({ quick }) {
    mkdirSync(benchData, { recursive: true })
    const folder = mkdtempSync(join(benchData, 'ledger-'))
    try {
      const { rates, passes } = await measure(join(folder, 'carrel.db'), quick)
      return outcomes({ rates, minRate: 10_000, passes, maxPassMs: 100, where: '' })
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
}

/** The same on a PostgreSQL of this host, which syncs its commits. */
export const ledgerPostgres: BenchCase = {
  name: 'ledger-postgres',
  about: 'the same on PostgreSQL',
  async run({ quick }) {
    await using postgres = await Postgres.open()
    if (!postgres) return [{ work: 'ledger postings, PostgreSQL', why: 'no PostgreSQL is installed on this host' }]
    const { rates, passes } = await measure(postgres.url, quick)
    return outcomes({ rates, minRate: 5_000, passes, maxPassMs: 500, where: ', PostgreSQL' })
  },
}

async function measure(location: string, quick: boolean) {
  const db = await openDatabase(location)
  try {
    await grantFirstCredit(db, accounts, defaultPrices)
    const rates = await series(quick ? 6 : 60, async (round) => (batch / (await postBatch(db, round))) * 1000)
    const passes = await series(quick ? 4 : 30, (round) => settlePass(db, round))
    const { problems } = await verifyBooks(db, 0)
    if (problems.length > 0) throw new Error(`The ledger is wrong: ${problems[0]}`)
    return { rates, passes }
  } finally {
    await db.destroy()
  }
}

interface Measured {
  rates: Summary
  minRate: number
  passes: Summary
  maxPassMs: number
  /** The end of the names of the work. */
  where: string
}

function outcomes({ rates, minRate, passes, maxPassMs, where }: Measured): Outcome[] {
  return [
    {
      work: `ledger postings, ${batch} in a transaction${where}`,
      unit: '1/s',
      carrel: rates,
      result: rates.median,
      goal: { is: 'at least', value: minRate, of: 'a second' },
    },
    {
      work: `charge ${accounts.length} running computers of as many accounts${where}`,
      unit: 'ms',
      carrel: passes,
      result: passes.median,
      goal: { is: 'at most', value: maxPassMs, of: 'ms' },
    },
  ]
}

/** Returns the measurements after two warm-up rounds. */
async function series(rounds: number, measure: (round: number) => Promise<number>) {
  const values: number[] = []
  for (let round = 0; round < rounds + 2; round++) values.push(await measure(round))
  return summarize(values.slice(2))
}

async function postBatch(db: Kysely<Database>, round: number): Promise<number> {
  const postings = Array.from({ length: batch }, (_, index) => {
    const accountId = accounts[(round * batch + index) % accounts.length]!
    return {
      key: `bench:${round}:${index}`,
      kind: 'capture' as const,
      accountId,
      entries: [
        { book: creditOf(accountId), amountMicros: -7 },
        { book: revenueOf('compute'), amountMicros: 7 },
      ],
    }
  })
  const started = performance.now()
  await transaction(db, 'durable', (trx) => postTransactions(trx, postings, 0))
  return performance.now() - started
}

async function settlePass(db: Kysely<Database>, round: number): Promise<number> {
  const startedAtMs = round * 60_000
  const pieces = accounts.map((accountId, index) => ({
    id: `usage:c${index}:compute:${startedAtMs}`,
    accountId,
    computerId: `c${index}`,
    meter: 'compute' as const,
    startedAtMs,
    endedAtMs: startedAtMs + 60_000,
    quantity: 59_999,
    tokenId: null,
    label: 'web',
  }))
  const started = performance.now()
  await recordUsage(db, { prices: defaultPrices, isUnbilled: () => false }, pieces)
  return performance.now() - started
}
